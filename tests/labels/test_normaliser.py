"""Spellings of labels: what LLMs write, and the canonical label of each."""

from __future__ import annotations

import json
import sys

import pytest

from tests.helpers.builders import ROOT, write_json
from tests.helpers.label_tables import ENTITY_SPELLINGS, ENTITY_TAGS, POS_SPELLINGS, POS_TAGS, UNREADABLE
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.labels.files import read_label_names
from utils.labels.normaliser import UNKNOWN, LabelNormaliser


@pytest.fixture(scope="module")
def entity():
    return LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS])


@pytest.fixture(scope="module")
def pos():
    return LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS])


def wrong(normaliser, expected):
    """Return the spellings that are read otherwise than expected, and how."""
    return {
        spelling: f"{normaliser(spelling)}, not {label}"
        for label, spellings in expected.items()
        for spelling in spellings
        if normaliser(spelling) != label
    }


def sample_of_labels():
    """Return a file of one model's labels with their counts, which is not part of the project."""
    path = ROOT.parent / "shared" / "llm_outputs" / "labels_sample_gpt35_zh.tsv"
    if not path.is_file():
        pytest.skip(f"{path.name}, a sample of labels, is not beside the project")
    return path


@pytest.fixture
def normaliser(tmp_path):
    """What finds labels in two small files."""
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
def test_case_width_blanks_and_decoration_do_not_matter(normaliser, spelling, label):
    assert normaliser(spelling) == label


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("电影演员", "PERSON"),  # its head is one of the file's
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
        ("演员/组织", None),  # the halves are at odds
        ("组织和机构", "ORGANIZATION"),
        ("组织和演员", None),
        ("名词、专有名词", None),
        ("PER.ORGANIZATION", "PERSON"),  # the upper level counts
        ("per-组织", "ORGANIZATION"),  # a name says more than a tag
        ("非演员", None),
        ("non-player", None),
    ],
)
def test_a_spelling_that_no_file_lists_is_read_from_its_parts(normaliser, spelling, label):
    assert normaliser(spelling) == label


@pytest.mark.parametrize("spelling", ["", " ", "地名", "!!", "()", "人民", "x" * 9999, "人名/" * 9999])
def test_a_spelling_that_no_file_knows_has_no_label(normaliser, spelling):
    assert normaliser(spelling) is None


@pytest.mark.parametrize(
    ("spelling", "label"),
    [("其他" * 20 + "名" * 40, "MISC"), ("(" * 80, None), ("名(" * 26, "NOUN"), ("一般具体" * 20, None)],
    ids=["generic words", "brackets", "a word and brackets", "generic beginnings"],
)
def test_a_spelling_of_little_but_decoration_is_read_at_once(entity, spelling, label):
    assert entity(spelling) == label


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


def test_a_spelling_may_stand_twice_under_its_own_label(tmp_path):
    assert LabelNormaliser.from_files([write_json(tmp_path / "a.json", {"NOUN": ["n", "N", "noun"]})])("n") == "NOUN"


@pytest.mark.parametrize("value", [{}, [], "NOUN", None])
def test_a_file_that_maps_no_labels_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match=r"a\.json: expected"):
        read_label_names(write_json(tmp_path / "a.json", value))


@pytest.mark.parametrize("spellings", ["n", None, ["n", 1], {"n": 1}])
def test_a_label_without_a_list_of_spellings_is_named(tmp_path, spellings):
    with pytest.raises(ValueError, match=r"a\.json: 'NOUN' must have a list of spellings"):
        read_label_names(write_json(tmp_path / "a.json", {"NOUN": spellings}))


def test_a_missing_file_of_labels_says_what_it_should_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.json is missing: a file that maps each canonical label"):
        LabelNormaliser.from_files([tmp_path / "none.json"])


# --- the files that ship with the project


@pytest.mark.parametrize("path", [ENTITY_LABELS, POS_LABELS])
def test_each_shipped_spelling_leads_to_its_label(path):
    normaliser = LabelNormaliser.from_files([path])
    names = json.loads(path.read_text(encoding="utf-8"))
    wrong = {s: (label, normaliser(s)) for label, all_ in names.items() for s in all_ if normaliser(s) != label}
    assert wrong == {}
    assert UNKNOWN not in names


@pytest.mark.parametrize("name", POS_TAGS)
def test_every_tag_of_a_set_of_parts_of_speech_has_its_label(pos, name):
    assert wrong(pos, {label: tags.split() for label, tags in POS_TAGS[name].items()}) == {}


@pytest.mark.parametrize("name", ENTITY_TAGS)
def test_every_tag_of_a_set_of_entities_has_its_label(entity, name):
    assert wrong(entity, {label: tags.split() for label, tags in ENTITY_TAGS[name].items()}) == {}


@pytest.mark.parametrize("name", [*POS_TAGS, *ENTITY_TAGS])
def test_every_official_tag_has_a_label_in_either_mode(entity, pos, name):
    tags = " ".join(({**POS_TAGS, **ENTITY_TAGS})[name].values()).split()
    assert [tag for tag in tags if entity(tag) is None or pos(tag) is None] == []


@pytest.mark.parametrize("label", ENTITY_SPELLINGS)
def test_spellings_of_entities_as_llms_write_them_are_read(entity, label):
    assert wrong(entity, {label: ENTITY_SPELLINGS[label]}) == {}


@pytest.mark.parametrize("label", POS_SPELLINGS)
def test_spellings_of_parts_of_speech_as_llms_write_them_are_read(pos, label):
    assert wrong(pos, {label: POS_SPELLINGS[label]}) == {}


@pytest.mark.parametrize("spelling", UNREADABLE)
def test_what_is_no_label_or_contradicts_itself_stays_unknown(entity, pos, spelling):
    assert (entity(spelling), pos(spelling)) == (None, None)


def test_the_labels_of_one_model_are_covered(entity, capsys):
    rows = [line.split("\t") for line in sample_of_labels().read_text(encoding="utf-8").splitlines()]
    counts = {spelling: int(count) for spelling, count in rows}
    unknown = [spelling for spelling in counts if entity(spelling) is None]
    of_count = 1 - sum(counts[spelling] for spelling in unknown) / sum(counts.values())
    of_kinds = 1 - len(unknown) / len(counts)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(counts)} spellings: {of_count:.2%} of the count, {of_kinds:.2%} of the kinds; unknown: {unknown}\n"
        )
    assert of_count >= 0.97
    assert of_kinds >= 0.90


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("名词", "NOUN"),
        ("名词(n)", "NOUN"),
        ("NNS", "NOUN"),
        ("nr-人名", "PROPER_NOUN"),
        ("NNP", "PROPER_NOUN"),
        ("动词", "VERB"),
        ("VBZ", "VERB"),
        ("动词（v）", "VERB"),
        ("形容词", "ADJECTIVE"),
        ("副词", "ADVERB"),
        ("代词", "PRONOUN"),
        ("PRP$", "PRONOUN"),
        ("标点符号", "PUNCTUATION"),
        ("punctuation mark", "PUNCTUATION"),
        ("量词", "MEASURE_WORD"),
        ("数词", "NUMERAL"),
        ("CD", "NUMERAL"),
        ("介词", "ADPOSITION"),
        ("preposition", "ADPOSITION"),
        ("连词", "CONJUNCTION"),
        ("助词", "PARTICLE"),
        ("叹词", "INTERJECTION"),
        ("成语", "IDIOM"),
        ("限定词", "DETERMINER"),
        ("aux", "VERB"),
    ],
)
def test_a_part_of_speech_is_found_under_its_usual_names(pos, spelling, label):
    assert pos(spelling) == label


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("人名", "PERSON"),
        ("人物", "PERSON"),
        ("PER", "PERSON"),
        ("nr", "PERSON"),
        ("地名", "LOCATION"),
        ("城市", "LOCATION"),
        ("GPE", "LOCATION"),
        ("组织机构", "ORGANIZATION"),
        ("组织/机构", "ORGANIZATION"),
        ("ORG", "ORGANIZATION"),
        ("company", "ORGANIZATION"),
        ("日期", "DATE"),
        ("时间", "TIME"),
        ("公司名称", "ORGANIZATION"),
        ("Organisation", "ORGANIZATION"),
        ("work of art", "WORK_OF_ART"),
        ("货币", "MONEY"),
        ("百分比", "NUMBER"),
    ],
)
def test_an_entity_is_found_under_its_usual_names(entity, spelling, label):
    assert entity(spelling) == label


def test_each_kind_of_label_is_looked_up_in_its_own_file_first(entity, pos):
    assert (entity("人名"), pos("人名")) == ("PERSON", "PROPER_NOUN")
    assert entity("副词") == "ADVERB"
    assert pos("公司名称") in ("ORGANIZATION", "PROPER_NOUN")
