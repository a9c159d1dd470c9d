"""The READMEs and docs/: links, files, flags and commands exist, and both languages say the same."""

from __future__ import annotations

import re
import shlex
from xml.etree import ElementTree

import pytest

from tests.helpers import flag_page, flow_picture
from tests.helpers.builders import ROOT, SCRIPTS, STEPS
from tests.helpers.doc_pages import Page, all_flags, english_pages, flags_of, pages

PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
ENGLISH_PAGES = pytest.mark.parametrize("page", english_pages(), ids=lambda page: page.name)

# flags of other programs, and of the benchmarks, that the pages name
FOREIGN = {"--log", "--tokenizer", "--quick", "--upgrade", "--head", "--port", "--address", "--all", "--target"}


def test_there_are_pages_in_both_languages():
    assert len(pages()) == 2 * len(english_pages())
    assert len(english_pages()) > 10


@PAGES
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in page.links:
        if not link.startswith("https://"):
            file, _, anchor = link.partition("#")
            target = page.path.parent / file if file else page.path
            assert target.exists(), link
            if anchor:
                assert anchor in Page(target.resolve()).anchors, link


@PAGES
def test_pages_link_to_pages_of_their_own_language(page):
    is_chinese = page.name.endswith(".zh-CN.md")
    for link in (link.partition("#")[0] for link in page.links if link.endswith(".md") or ".md#" in link):
        linked = Page((page.path.parent / link).resolve())
        if linked in pages() and linked != page.translation and not link.startswith("https://"):
            assert linked.name.endswith(".zh-CN.md") == is_chinese, link


@ENGLISH_PAGES
def test_both_languages_have_the_same_headings(page):
    assert [level for level, _ in page.headings] == [level for level, _ in page.translation.headings]


@ENGLISH_PAGES
def test_both_languages_have_the_same_commands(page):
    ours, theirs = (
        [(without_comments(block.text), block.language, block.not_run) for block in one.blocks() if block.is_command]
        for one in (page, page.translation)
    )
    assert ours == theirs


def without_comments(text):
    return re.sub(r"^#.*\n| +# .*$", "", text, flags=re.MULTILINE)


@ENGLISH_PAGES
def test_both_languages_name_the_same_flags_and_files(page):
    ours, theirs = (names_in_code(one) for one in (page, page.translation))
    assert ours == theirs


def names_in_code(page):
    """Return the flags, and the names of scripts and files, in the inline code of a page."""
    codes = re.findall(r"`([^`\n]+)`", page.prose)
    flags = {flag for code in codes for flag in re.findall(r"(?<![\w-])--\w+", code)}
    files = {code for code in codes if re.fullmatch(r"[\w./<>*]+\.(?:py|sh|jsonl|json|txt)", code)}
    return flags | {re.sub(r"\.(?:zh|en)\.txt$", ".txt", file) for file in files}  # a prompt of the page's language


@PAGES
def test_the_files_of_the_project_that_a_page_names_exist(page):
    named = re.findall(
        r"(?:(?<=[\s`('\"])|^)((?:syn_pipelines|utils|tests|benchmarks|docs|data/fusion_knowledge)/[\w./-]+)", page.text
    )
    missing = {name for name in named if not (ROOT / name.rstrip(".")).exists()}
    assert missing == set()


@PAGES
def test_every_flag_that_a_page_names_is_one_of_a_script(page):
    if page.path.name in flag_page.INTRODUCTION:
        pytest.skip("made from the parsers")
    named = set(re.findall(r"(?<![\w-])(--[a-z]\w*)", page.text))
    assert named - all_flags() - FOREIGN == set()


@PAGES
def test_flags_that_a_page_names_with_their_script_are_flags_of_that_script(page):
    scripts = {path.stem for path in SCRIPTS.glob("[!_]*.py")}
    named = re.findall(r"`(?:python (?:syn_pipelines/)?)?(\w+?)(?:\.py)? (--\w[^`]*)`", page.prose)
    for name, rest in named:
        script = STEPS.get(name, name)
        if script in scripts:
            flags = re.findall(r"(?<![\w-])--\w+", rest)
            assert flags
            assert set(flags) <= flags_of(script), (name, rest)


def test_the_readme_is_short():
    words = [
        word
        for line in Page(ROOT / "README.md").prose.splitlines()
        if not line.startswith("    ")
        for word in line.split()
    ]
    assert 900 < len(words) <= 1500


@pytest.mark.parametrize("name", flag_page.INTRODUCTION)
def test_the_page_of_flags_is_that_of_the_parsers(monkeypatch, name):
    monkeypatch.chdir(ROOT)  # defaults are shown relative to the working folder
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert text == flag_page.page(name), "run python -m tests.helpers.flag_page"


@pytest.mark.parametrize("colours", flow_picture.COLOURS)
def test_the_picture_of_the_files_is_drawn_from_the_layout(colours):
    drawn = flow_picture.picture(flow_picture.COLOURS[colours])
    path = ROOT / "docs" / f"flow-{colours}.svg"
    assert path.read_text(encoding="utf-8") == drawn, "run python -m tests.helpers.flow_picture"
    shown = [text.text or "" for text in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert {f"s{number}" for number in range(1, 9)} <= {word for text in shown for word in text.split(", ")}
    assert {"train_1000.jsonl", "train_<size>_synthetic_fusion.jsonl", "label_syn_fusion.json"} <= set(shown)


@PAGES
def test_the_words_of_a_page_are_those_of_the_project(page):
    """One word for one thing; "checkpoint" and "tokenizer" are not translated."""
    assert not re.findall(r"检查点|分词器|引导解码|引导式", page.text)


@PAGES
def test_every_marked_block_says_why_it_is_not_run(page):
    reasons = [block.not_run for block in page.blocks() if block.not_run is not None]
    assert len(reasons) == len(re.findall(r"<!-- not run", page.text))
    assert all(len(reason.split()) > 1 for reason in reasons)


def test_the_commands_of_inline_code_can_be_parsed():
    """Commands in tables and sentences, such as those that check a promise."""
    shown = [code for page in pages() for code in re.findall(r"`(python syn_pipelines/[^`]+)`", page.prose)]
    assert len(shown) >= 4
    for command in shown:
        _, file, *words = shlex.split(command)
        name = file.removeprefix("syn_pipelines/").removesuffix(".py")
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= flags_of(name)
