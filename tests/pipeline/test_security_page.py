"""The pages about security name tests that exist, the same ones in both languages."""

from __future__ import annotations

import re

import pytest

from tests.helpers.builders import ROOT

PAGES = [ROOT / "docs" / name for name in ("security.md", "security.zh-CN.md")]


def named_tests(page):
    return re.findall(r"`(tests/[\w./]+)`", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_the_page_names_exists(page):
    assert len(named_tests(page)) > 10
    assert [name for name in named_tests(page) if not (ROOT / name).exists()] == []


def test_both_languages_name_the_same_tests():
    assert named_tests(PAGES[0]) == named_tests(PAGES[1])


@pytest.mark.parametrize(("readme", "page"), [("README.md", "security.md"), ("README.zh-CN.md", "security.zh-CN.md")])
def test_each_readme_links_the_page_in_its_language(readme, page):
    assert f"(docs/{page})" in (ROOT / readme).read_text(encoding="utf-8")
