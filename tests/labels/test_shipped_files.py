"""The label files of the project: official tags, spellings of LLMs, and the labels that one model writes."""

from __future__ import annotations

import json

import pytest

from tests.helpers.label_tables import (
    COMPOUNDS,
    ENTITY_SPELLINGS,
    ENTITY_TAGS,
    FEATURES,
    INVENTED,
    JAPANESE,
    LABEL_COUNTS,
    LEVELS,
    OPEN_CHOICES,
    OTHER_MEANINGS,
    PLURAL_ONLY,
    POS_SPELLINGS,
    POS_TAGS,
    TWO_NAMES,
    UNREADABLE,
)
from utils.dataset.layout import ENTITY_LABELS, POS_LABELS
from utils.labels.files import display_names, read_label_names
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


@pytest.mark.parametrize(
    ("spelling", "label"),
    [("其他" * 20 + "名" * 40, "MISC"), ("(" * 80, None), ("名(" * 26, "NOUN"), ("一般具体" * 20, None)],
    ids=["generic words", "brackets", "a word and brackets", "generic beginnings"],
)
def test_a_spelling_of_little_but_decoration_is_read_at_once(entity, spelling, label):
    assert entity(spelling) == label


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


@pytest.mark.parametrize("label", COMPOUNDS)
def test_compounds_that_are_in_no_file_have_the_label_of_their_head(entity, label):
    assert wrong(entity, {label: COMPOUNDS[label].split()}) == {}


@pytest.mark.parametrize("label", OTHER_MEANINGS)
def test_a_word_whose_end_is_not_its_head_has_its_own_label(entity, label):
    assert wrong(entity, {label: OTHER_MEANINGS[label].split()}) == {}


@pytest.mark.parametrize("spelling", TWO_NAMES)
def test_two_names_are_unknown_if_neither_the_whole_nor_the_head_is_known(entity, pos, spelling):
    assert (entity(spelling), pos(spelling)) == (None, None)


@pytest.mark.parametrize("spelling", ["PERSON-ACTOR", "cartoon-actor", "film-actors", "art-film"])
def test_two_names_have_the_label_of_the_whole_or_of_the_head(entity, spelling):
    assert entity(spelling) == ("WORK_OF_ART" if spelling == "art-film" else "PERSON")


@pytest.mark.parametrize("tag", OPEN_CHOICES)
def test_a_tag_that_an_annotator_left_open_is_the_first_one(entity, pos, tag):
    assert (entity(tag), pos(tag)) == (OPEN_CHOICES[tag], OPEN_CHOICES[tag])


@pytest.mark.parametrize("tag", FEATURES)
def test_the_features_of_a_tag_are_no_part_of_it(entity, pos, tag):
    assert (entity(tag), pos(tag)) == (FEATURES[tag], FEATURES[tag])


@pytest.mark.parametrize("spelling", LEVELS)
def test_the_level_after_a_tag_does_not_count(entity, spelling):
    assert entity(spelling) == LEVELS[spelling]


@pytest.mark.parametrize("spelling", JAPANESE)
def test_japanese_characters_are_read_as_their_chinese_form(entity, spelling):
    assert entity(spelling) == JAPANESE[spelling]


@pytest.mark.parametrize("spelling", PLURAL_ONLY)
def test_a_word_that_is_listed_only_in_the_plural_is_read(entity, spelling):
    assert entity(spelling) == PLURAL_ONLY[spelling]


def test_spellings_as_an_llm_invents_them_are_known(entity):
    unknown = [spelling for line in INVENTED.split("|") if (spelling := line.strip()) and entity(spelling) is None]
    assert unknown == []


def test_an_open_choice_of_entities_stays_unknown(entity, pos):
    assert (entity("PER|ORG"), pos("PER|ORG")) == (None, None)


@pytest.mark.parametrize("spelling", UNREADABLE)
def test_what_is_no_label_or_contradicts_itself_stays_unknown(entity, pos, spelling):
    assert (entity(spelling), pos(spelling)) == (None, None)


def test_the_labels_of_one_model_are_covered(entity):
    unknown = [spelling for spelling in LABEL_COUNTS if entity(spelling) is None]
    of_count = 1 - sum(LABEL_COUNTS[spelling] for spelling in unknown) / sum(LABEL_COUNTS.values())
    of_kinds = 1 - len(unknown) / len(LABEL_COUNTS)
    assert of_count >= 0.97, unknown
    assert of_kinds >= 0.90, unknown


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


@pytest.mark.parametrize("path", [ENTITY_LABELS, POS_LABELS])
def test_every_label_has_a_chinese_a_japanese_and_a_korean_name(path):
    names = read_label_names(path)
    for language in ("zh", "ja", "ko"):
        assert [label for label, name in display_names(names, language).items() if name == label] == []
