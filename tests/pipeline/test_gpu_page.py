"""docs/gpu.md: both languages have the same commands and parts, and name files and flags that exist."""

from __future__ import annotations

import re

import pytest

from tests.helpers.builders import ROOT

PAGES = ["docs/gpu.md", "docs/gpu.zh-CN.md"]


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def commands(page):
    return re.findall(r"```bash\n(.*?)```", text_of(page), flags=re.DOTALL)


def parts(page):
    """Return the first cell of each row of the table of assumptions, with the code in it alone."""
    table = text_of(page).split("| --- | --- | --- |\n")[1].split("\n\n")[0]
    return [re.findall(r"`([^`]+)`", row.split("|")[1]) for row in table.splitlines()]


def test_both_languages_have_the_same_commands_parts_and_numbers_of_headings():
    english, chinese = PAGES
    assert commands(english) == commands(chinese)
    assert len(commands(english)) == 2
    assert parts(english) == parts(chinese)
    assert len(parts(english)) > 25
    assert text_of(english).count("\n## ") == text_of(chinese).count("\n## ")
    assert text_of(english).count("\n- ") == text_of(chinese).count("\n- ")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_the_page_names_exists(page):
    names = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    found = re.findall(r"`([\w/]+\.py)`", text_of(page))
    assert [name for name in found if not any(known.endswith(f"/{name}") or known == name for known in names)] == []


def test_the_flags_of_the_measurement_on_the_page_exist():
    pytest.importorskip("transformers", "4.44", reason="the span model needs it")
    from benchmarks.gpu import parse

    for line in re.findall(r"python benchmarks/gpu\.py (.*)", "".join(commands(PAGES[0]))):
        words = line.split("#")[0].split()
        assert vars(parse(words))[words[0].removeprefix("--").split("=")[0]]
