"""Sentences and spans, and the JSON objects that hold them."""

from __future__ import annotations

import json

import pytest

from utils.dataset.records import Sentence, Span, sentence_from_row, sentence_to_row, span_to_row, text_hash
from utils.dataset.tokens import CHARACTERS, WORDS

ROW = {
    "text": ["邓", "超", "在", "北", "京"],
    "entities": [
        {"start": 0, "end": 2, "entity": "PER.NAM", "text": ["邓", "超"], "note": {"by": "us"}},
        {"start": 3, "end": 5, "entity": "LOC.NAM"},
    ],
    "source_url": "x",
}


def test_a_line_comes_back_as_it_was_unknown_keys_and_their_order_included():
    sentence = sentence_from_row(ROW, id="17", tokenisation=CHARACTERS)
    assert json.dumps(sentence_to_row(sentence)) == json.dumps(ROW)


def test_spans_are_read_with_their_offsets_and_labels():
    sentence = sentence_from_row(ROW, id="17", tokenisation=CHARACTERS)
    assert [(span.start, span.end, span.label, span.origin) for span in sentence.spans] == [
        (0, 2, "PER.NAM", None),
        (3, 5, "LOC.NAM", None),
    ]


@pytest.mark.parametrize(
    ("text", "tokenisation", "tokens"),
    [
        ("邓超在 北京", CHARACTERS, ("邓", "超", "在", " ", "北", "京")),
        ("Tom saw  it .", WORDS, ("Tom", "saw", "it", ".")),
    ],
)
def test_a_plain_string_is_parted_into_tokens(text, tokenisation, tokens):
    assert sentence_from_row({"text": text, "entities": []}, id="1", tokenisation=tokenisation).tokens == tokens


def test_spans_may_nest_and_overlap_and_repeat():
    spans = [{"start": s, "end": e, "entity": "X"} for s, e in ((0, 5), (0, 2), (1, 3), (0, 2))]
    assert (
        len(sentence_from_row({"text": list("abcde"), "entities": spans}, id="1", tokenisation=CHARACTERS).spans) == 4
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"entities": []}, '"text" must be a list of tokens or a string'),
        ({"text": ["a", 1], "entities": []}, '"text" must be a list'),
        ({"text": None, "entities": []}, '"text" must be a list'),
        ({"text": ["a"]}, '"entities" must be a list; write'),
        ({"text": ["a"], "entities": {}}, '"entities" must be a list'),
    ],
)
def test_a_line_that_is_no_sentence_says_what_is_wrong(row, message):
    with pytest.raises(ValueError, match=message):
        sentence_from_row(row, id="1", tokenisation=WORDS)


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        ({"start": 0, "end": 31, "entity": "X"}, "entity 2 ends at 31, but the sentence has 3 tokens"),
        ({"start": -1, "end": 1, "entity": "X"}, "entity 2 runs from -1 to 1"),
        ({"start": 2, "end": 2, "entity": "X"}, "entity 2 runs from 2 to 2; start must be"),
        ({"start": 2, "end": 1, "entity": "X"}, "entity 2 runs from 2 to 1"),
        ({"start": "0", "end": 1, "entity": "X"}, "entity 2: .* must be whole numbers, found '0' and 1"),
        ({"start": True, "end": 2, "entity": "X"}, "entity 2: .* must be whole numbers"),
        ({"start": 0.0, "end": 2, "entity": "X"}, "entity 2: .* must be whole numbers"),
        ({"end": 2, "entity": "X"}, "entity 2: .* found None and 2"),
        ({"start": 0, "end": 2}, 'entity 2: "entity" must be a label, found None'),
        ({"start": 0, "end": 2, "entity": ""}, 'entity 2: "entity" must be a label'),
        ({"start": 0, "end": 2, "entity": ["X"]}, 'entity 2: "entity" must be a label'),
        ([0, 2, "X"], "entity 2 must be an object"),
    ],
)
def test_a_span_that_cannot_be_is_named_by_its_number(entity, message):
    good = {"start": 0, "end": 1, "entity": "X"}
    with pytest.raises(ValueError, match=message):
        sentence_from_row({"text": ["a", "b", "c"], "entities": [good, entity]}, id="1", tokenisation=WORDS)


def test_a_made_span_is_written_with_its_text_and_only_the_fields_that_it_has():
    tokens = ["邓", "超", "在"]
    assert span_to_row(Span(0, 2, "PERSON", "entity"), tokens) == {
        "start": 0,
        "end": 2,
        "entity": "PERSON",
        "text": ["邓", "超"],
        "origin": "entity",
    }
    assert span_to_row(Span(2, 3, "X"), tokens) == {"start": 2, "end": 3, "entity": "X", "text": ["在"]}
    assert span_to_row(Span(2, 3, "X", "ner", 0.0), tokens)["score"] == 0.0


def test_a_written_made_span_is_read_back_the_same():
    made = Sentence("1", ("a", "b"), (Span(0, 2, "X", "ner", 0.75),))
    assert sentence_from_row(sentence_to_row(made), id="1", tokenisation=WORDS) == made


def test_the_hash_of_a_text_tells_apart_how_it_is_parted_into_tokens():
    hashes = {text_hash(tokens) for tokens in (["ab"], ["a", "b"], ["a", "b", ""], ["a b"], ['a","b'])}
    assert len(hashes) == 5
    assert text_hash(("a", "b")) == text_hash(["a", "b"])


def test_the_hash_of_a_text_takes_half_of_a_surrogate_pair():
    assert text_hash(["\ud83d"]) != text_hash(["?"])
