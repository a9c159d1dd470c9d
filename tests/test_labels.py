"""Spellings of labels: what LLMs write, and the canonical label of each."""

from __future__ import annotations

import json

import pytest
from builders import write_json

from utils.labels import UNKNOWN, LabelNormaliser, read_label_names
from utils.layout import ENTITY_LABELS, POS_LABELS

UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
PTB = (
    "CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP "
    "VBZ WDT WP WP$ WRB . , : $ # `` '' -LRB- -RRB-"
)
CTB = "AD AS BA CC CD CS DEC DEG DER DEV DT ETC FW IJ JJ LB LC M MSP NN NR NT OD ON P PN PU SB SP VA VC VE VV URL NOI"
PKU = "a ad ag an b c d dg e f g h i j k l m mg n ng nr ns nt nx nz o p q r s t tg u v vd vg vn w x y z"
JIEBA = "nrt nrfg uj ul uz uv ud ug eng zg df vi vq rr rz mq nw"
NAMED_ENTITIES = (
    "PER LOC ORG MISC PERSON NORP FAC GPE PRODUCT EVENT WORK_OF_ART LAW LANGUAGE DATE TIME PERCENT MONEY QUANTITY "
    "ORDINAL CARDINAL nr ns nt"
)


@pytest.fixture(scope="module")
def entity():
    return LabelNormaliser.from_files([ENTITY_LABELS, POS_LABELS])


@pytest.fixture(scope="module")
def pos():
    return LabelNormaliser.from_files([POS_LABELS, ENTITY_LABELS])


@pytest.fixture
def normaliser(tmp_path):
    """What finds labels in two small files."""
    first = {"PERSON": ["人名", "nr", "per"], "WORK_OF_ART": ["书名"], "SYMBOL": ["$"], "EMPTY": []}
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
        ("名词、专有名词", "NOUN"),
        ("$", "SYMBOL"),
    ],
)
def test_case_width_blanks_and_decoration_do_not_matter(normaliser, spelling, label):
    assert normaliser(spelling) == label


@pytest.mark.parametrize("spelling", ["", " ", "地名", "person's", "nouns", "!!", "()", "人名字"])
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
    with pytest.raises(ValueError, match=rf"a\.json: '{spelling}' stands under {one} and under {other}"):
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


@pytest.mark.parametrize("path", [ENTITY_LABELS, POS_LABELS])
def test_the_first_spelling_of_each_shipped_label_is_chinese(path):
    firsts = [spellings[0] for spellings in json.loads(path.read_text(encoding="utf-8")).values()]
    assert [first for first in firsts if not all("\u4e00" <= character <= "\u9fff" for character in first)] == []


@pytest.mark.parametrize("tags", [UPOS, PTB, CTB, PKU, JIEBA], ids=["UPOS", "PTB", "CTB", "PKU", "jieba"])
def test_every_tag_of_a_common_tag_set_is_known(pos, tags):
    assert [tag for tag in tags.split() if pos(tag) is None] == []


def test_every_common_label_of_named_entities_is_known(entity):
    assert [label for label in NAMED_ENTITIES.split() if entity(label) is None] == []


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
