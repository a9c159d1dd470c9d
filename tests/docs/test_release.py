"""The version, the changelog, the citation and the forms for issues agree."""

from __future__ import annotations

import re

from tests.helpers.builders import ROOT, SCRIPTS, run_python
from utils import __version__
from utils.dataset.formats.card import CITATION


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_all_files_name_the_same_version(tmp_path):
    assert re.findall(r'^version = "(.+)"$', text_of("pyproject.toml"), re.MULTILINE) == [__version__]
    assert re.findall(r"^version: (.+)$", text_of("CITATION.cff"), re.MULTILINE) == [__version__]
    done = run_python(SCRIPTS / "s4_split_data.py", "--version", cwd=tmp_path)
    assert done.stdout.strip().endswith(__version__)


def test_the_newest_release_of_the_changelog_is_this_version():
    headings = re.findall(r"^## (.+)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d{{2}}-\d{{2}}", headings[1])


def test_the_changelog_has_only_sections_of_keep_a_changelog():
    sections = set(re.findall(r"^### (.+)$", text_of("CHANGELOG.md"), re.MULTILINE))
    assert sections
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_citation_the_readmes_and_the_dataset_card_name_the_same_paper():
    (title,) = re.findall(r"^  title: (.+)$", text_of("CITATION.cff"), re.MULTILINE)
    (url,) = re.findall(r"^  url: (.+)$", text_of("CITATION.cff"), re.MULTILINE)
    for text in (text_of("README.md"), text_of("README.zh-CN.md"), CITATION):
        assert f'"{title}"' in text
        assert f'"{url}"' in text


def test_a_bug_report_asks_for_the_text_of_the_doctor():
    form = text_of(".github/ISSUE_TEMPLATE/bug_report.yml")
    assert "python syn_pipelines/doctor.py --debug" in form
    assert "doctor-report.txt" in form


def test_every_python_of_the_metadata_is_supported():
    assert 'requires-python = ">=3.10,<3.13"' in text_of("pyproject.toml")
    assert re.findall(r"Python :: (3\.\d+)", text_of("pyproject.toml")) == ["3.10", "3.11", "3.12"]
