"""How spellings are read, and which label files are refused."""

from __future__ import annotations

import pytest

from tests.helpers.builders import write_json
from tests.helpers.time_fuzzer import Shape, complaint
from utils.labels.files import read_label_names
from utils.labels.normaliser import LabelNormaliser


@pytest.fixture
def normaliser(tmp_path):
    """Return the normaliser of two small label files."""
    first = {
        "PERSON": ["人名", "nr", "per", "*演员", "*player"],
        "WORK_OF_ART": ["书名"],
        "ORGANIZATION": ["组织", "机构", "*足球队", "*team", "department"],
        "SYMBOL": ["$"],
        "EMPTY": [],
    }
    second = {"NOUN": ["名词", "n"], "PROPER_NOUN": ["nr", "专有名词"]}
    return LabelNormaliser.from_files([write_json(tmp_path / "a.json", first), write_json(tmp_path / "b.json", second)])


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("人名", "PERSON"),
        ("PERSON", "PERSON"),  # a canonical label is a spelling of itself
        ("empty", "EMPTY"),
        ("Per", "PERSON"),
        ("ＰＥＲ", "PERSON"),
        (" p e r ", "PERSON"),
        ("人 名", "PERSON"),
        ("人名。", "PERSON"),
        ("“人名”", "PERSON"),
        ("work of art", "WORK_OF_ART"),
        ("Work-of-Art", "WORK_OF_ART"),
        ("WORKOFART", "WORK_OF_ART"),
        ("人名(nr)", "PERSON"),
        ("人名（某）", "PERSON"),
        ("work of art (film)", "WORK_OF_ART"),
        ("名词(n)", "NOUN"),
        ("名词（n）", "NOUN"),
        ("n(名词)", "NOUN"),
        ("名词[普通]", "NOUN"),
        ("nr-人名", "PERSON"),
        ("名词/n", "NOUN"),
        ("某某/名词", "NOUN"),
        ("B-PER", "PERSON"),
        ("/n", "NOUN"),
        ("NOUN:n", "NOUN"),
        ("$", "SYMBOL"),
    ],
)
def test_case_width_spaces_and_decoration_do_not_matter(normaliser, spelling, label):
    assert normaliser(spelling) == label


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("电影演员", "PERSON"),  # its head is in the file
        ("電影演員", "PERSON"),
        ("足球隊名称", "ORGANIZATION"),
        ("football player", "PERSON"),
        ("Football_Players", "PERSON"),
        ("FootballPlayer", "PERSON"),
        ("displayer", None),  # a head begins at a word
        ("演员表", None),
        ("name of a player", "PERSON"),
        ("Department of Players", "ORGANIZATION"),
        ("其他组织", "ORGANIZATION"),
        ("组织名称3", "ORGANIZATION"),
        ("演员/人名", "PERSON"),
        ("演员/组织", None),  # the alternatives have different labels
        ("组织和机构", "ORGANIZATION"),
        ("组织和演员", None),
        ("名词、专有名词", None),
        ("PER.ORGANIZATION", "PERSON"),  # the upper level counts
        ("per-组织", "ORGANIZATION"),  # a name counts more than a tag
        ("非演员", None),
        ("non-player", None),
    ],
)
def test_a_spelling_that_is_in_no_file_is_read_from_its_parts(normaliser, spelling, label):
    assert normaliser(spelling) == label


@pytest.mark.parametrize("spelling", ["", " ", "地名", "!!", "()", "人民", "x" * 9999, "人名/" * 9999])
def test_a_spelling_that_no_file_knows_has_no_label(normaliser, spelling):
    assert normaliser(spelling) is None


def test_the_first_file_that_knows_a_spelling_decides(tmp_path):
    first = write_json(tmp_path / "a.json", {"PERSON": ["nr"]})
    second = write_json(tmp_path / "b.json", {"PROPER_NOUN": ["nr", "nz"]})
    assert LabelNormaliser.from_files([first, second])("nr") == "PERSON"
    assert LabelNormaliser.from_files([second, first])("nr") == "PROPER_NOUN"
    assert LabelNormaliser.from_files([first, second])("nz") == "PROPER_NOUN"


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ({"PERSON": ["人名"], "NAME": ["人名"]}, "人名"),
        ({"PERSON": ["ＰＥＲ"], "NAME": ["p e r"]}, "p e r"),
        ({"PERSON": ["x"], "NAME": ["person"]}, "person"),
        ({"NOUN": ["noun"], "noun": []}, "noun"),
    ],
)
def test_a_spelling_under_two_labels_of_one_file_is_an_error_that_names_both(tmp_path, value, spelling):
    path = write_json(tmp_path / "a.json", value)
    one, other = value
    with pytest.raises(ValueError, match=rf"a\.json: '{spelling}' is listed under {one} and under {other}"):
        LabelNormaliser.from_files([path])


def test_a_spelling_may_be_repeated_under_its_own_label(tmp_path):
    assert LabelNormaliser.from_files([write_json(tmp_path / "a.json", {"NOUN": ["n", "N", "noun"]})])("n") == "NOUN"


@pytest.mark.parametrize("value", [{}, [], "NOUN", None])
def test_a_file_without_labels_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match=r"a\.json: expected"):
        read_label_names(write_json(tmp_path / "a.json", value))


@pytest.mark.parametrize("spellings", ["n", None, ["n", 1], {"n": 1}])
def test_a_label_without_a_list_of_spellings_is_named(tmp_path, spellings):
    with pytest.raises(ValueError, match=r"a\.json: the value of 'NOUN' must be a list of spellings"):
        read_label_names(write_json(tmp_path / "a.json", {"NOUN": spellings}))


def test_the_error_for_a_missing_label_file_says_what_it_contains(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"none\.json is missing: it must be a JSON file that maps each "
        "canonical label",
    ):
        LabelNormaliser.from_files([tmp_path / "none.json"])


@pytest.mark.parametrize("unit", ["a", " ", "(", "_", "北", "a|", "a=", "nr "])
def test_a_spelling_of_any_length_takes_linear_time(unit, normaliser):
    assert complaint(normaliser, Shape(unit, "", "x")) is None
