"""Label guides: drafts from gold spans, and a user's file."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import CHINESE, sentence
from utils.annotation.targets.guide import MAX_DRAFTED, draft_guide, read_guide
from utils.dataset.records import Span, sentence_from_row
from utils.dataset.tokens import CHARACTERS, WORDS

DRAFT = draft_guide(["PER", "LOC"], [sentence("Ann saw Rome", (0, 1, "PER"), (2, 3, "LOC"))], WORDS)


@pytest.fixture
def guide_file(tmp_path):
    def write(value):
        path = tmp_path / "guide.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path

    return write


def test_a_draft_shows_the_most_frequent_mentions_of_each_label():
    sentences = [sentence_from_row(row, id="1", tokenisation=CHARACTERS) for row in CHINESE.rows]
    guide = draft_guide(["LOC.NAM", "PER.NAM", "ORG"], sentences, CHARACTERS)
    assert guide.text.splitlines() == [
        '- LOC.NAM: ("上海", "北京")',
        '- PER.NAM: ("邓超", "李明", "王芳")',
        "- ORG",
    ]


def test_a_draft_has_few_and_short_examples_and_none_from_extension_spans():
    names = [f"n{number}" for number in range(9)]
    spans = [(number, number + 1, "PER") for number in range(9)]
    long = sentence("x" * 61, (0, 1, "LOC"))
    extended = sentence("Rome", id="2")
    object.__setattr__(extended, "spans", (Span(0, 1, "LOC", origin="entity"),))
    guide = draft_guide(["PER", "LOC"], [sentence(names, *spans), long, extended], WORDS)
    assert guide.notes["PER"].examples == tuple(names[:MAX_DRAFTED])
    assert guide.notes["LOC"].examples == ()


def test_a_users_guide_replaces_the_draft_of_its_labels(guide_file):
    path = guide_file({"PER": {"definition": "names  of\npersons", "examples": ["Ito"]}})
    assert read_guide(path, DRAFT).text == '- PER: names of persons ("Ito")\n- LOC: ("Rome")'
    assert read_guide(guide_file({"LOC": "places"}), DRAFT).text == '- PER: ("Ann")\n- LOC: places'


def test_the_parameters_of_a_guide_show_its_notes():
    assert DRAFT.parameters == {
        "PER": {"definition": "", "examples": ["Ann"]},
        "LOC": {"definition": "", "examples": ["Rome"]},
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"guide\.json must be a JSON object such as \{"),
        ({"CITY": "x"}, r"'CITY' is not a label of the dataset \(PER, LOC\)"),
        ({"PER": 3}, r"the entry of 'PER' must have the form of"),
        ({"PER": {"examples": "Ito"}}, r"the entry of 'PER' must have the form of"),
        ({"PER": {"example": ["Ito"]}}, r"the entry of 'PER' must have the form of"),
        ({"PER": {"definition": None}}, r"the entry of 'PER' must have the form of"),
        ("{", r"guide\.json"),
    ],
)
def test_a_guide_with_mistakes_is_refused(guide_file, value, message):
    with pytest.raises(ValueError, match=message):
        read_guide(guide_file(value), DRAFT)


def test_a_missing_guide_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--label_guide: .*none\.json is missing: it must be a JSON file"):
        read_guide(tmp_path / "none.json", DRAFT)
