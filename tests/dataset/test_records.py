"""Sentences and spans, and the JSON objects that hold them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from utils.dataset.records import Sentence, Span, sentence_from_row, sentence_to_row, span_to_row
from utils.dataset.tokens import CHARACTERS, WORDS, text_hash

ROW: dict[str, Any] = {
    "text": ["邓", "超", "在", "北", "京"],
    "entities": [
        {"start": 0, "end": 2, "entity": "PER.NAM", "text": ["邓", "超"], "note": {"by": "us"}},
        {"start": 3, "end": 5, "entity": "LOC.NAM"},
    ],
    "source_url": "x",
}


def test_a_sentence_is_written_as_it_was_read_with_unknown_keys_in_order():
    sentence = sentence_from_row(ROW, id="17", tokenisation=CHARACTERS)
    assert json.dumps(sentence_to_row(sentence)) == json.dumps(ROW)


def test_a_changed_span_is_written_with_its_changes_and_keeps_unknown_keys():
    span = sentence_from_row(ROW, id="17", tokenisation=CHARACTERS).spans[0]
    tokens, (read, _) = ROW["text"], ROW["entities"]
    assert span_to_row(replace(span, label="PER"), tokens) == {**read, "entity": "PER"}
    assert span_to_row(replace(span, origin="ner", score=0.5), tokens) == {**read, "origin": "ner", "score": 0.5}
    assert span_to_row(replace(span, end=3), tokens) == {**read, "end": 3, "text": ["邓", "超", "在"]}


def test_an_origin_and_a_score_that_are_removed_are_not_written():
    row = {"start": 0, "end": 1, "entity": "X", "origin": "ner", "score": 0.5}
    span = sentence_from_row({"text": ["a"], "entities": [row]}, id="1", tokenisation=WORDS).spans[0]
    assert span_to_row(span, ["a"]) == row
    assert span_to_row(replace(span, origin=None, score=None), ["a"]) == {"start": 0, "end": 1, "entity": "X"}


@pytest.mark.parametrize("keys", [{"origin": None}, {"score": None}, {"score": 1}, {"text": "another"}])
def test_an_unchanged_span_is_written_as_it_was_read(keys):
    row = {"entity": "X", **keys, "start": 0, "end": 1}
    span = sentence_from_row({"text": ["a"], "entities": [row]}, id="1", tokenisation=WORDS).spans[0]
    assert json.dumps(span_to_row(span, ["a"])) == json.dumps(row)


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
def test_a_plain_string_is_split_into_tokens(text, tokenisation, tokens):
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
def test_an_invalid_sentence_is_refused_with_the_reason(row, message):
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
def test_an_invalid_span_is_refused_with_its_number(entity, message):
    good = {"start": 0, "end": 1, "entity": "X"}
    with pytest.raises(ValueError, match=message):
        sentence_from_row({"text": ["a", "b", "c"], "entities": [good, entity]}, id="1", tokenisation=WORDS)


def test_a_new_span_is_written_with_its_text_and_without_empty_fields():
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


def test_a_new_span_is_the_same_after_writing_and_reading():
    made = Sentence("1", ("a", "b"), (Span(0, 2, "X", "ner", 0.75),))
    assert sentence_from_row(sentence_to_row(made), id="1", tokenisation=WORDS) == made


def test_texts_with_different_tokens_have_different_hashes():
    hashes = {text_hash(tokens) for tokens in (["ab"], ["a", "b"], ["a", "b", ""], ["a b"], ['a","b'])}
    assert len(hashes) == 5
    assert text_hash(("a", "b")) == text_hash(["a", "b"])


def test_a_text_with_a_lone_surrogate_has_a_hash():
    assert text_hash(["\ud83d"]) != text_hash(["?"])


SPANS_ELSEWHERE: dict[str, dict[str, Any]] = {
    "doccano": {"label": [[0, 7, "PER"]]},
    "CLUENER": {"label": {"name": {"Anna Lee": [[0, 7]]}}},
    "object": {"entities": {"PER": [[0, 7]]}},
    "text": {"entities": "Anna Lee (PER)"},
    "tags": {"ner_tags": ["B-PER", "I-PER"]},
    "other name": {"mentions": [{"start": 0, "end": 2, "type": "PER"}]},
    "Label Studio": {"result": [{"value": {"start": 0, "end": 7, "labels": ["PER"]}}]},
}


@pytest.mark.parametrize("name", SPANS_ELSEWHERE)
def test_who_has_spans_in_another_form_is_never_told_to_write_no_spans(name):
    row = {"text": ["Anna", "Lee"], **SPANS_ELSEWHERE[name]}
    with pytest.raises(ValueError, match=r"start.*end.*entity") as raised:
        sentence_from_row(row, id="1", tokenisation=WORDS)
    assert "[]" not in str(raised.value).replace(str(row), "")


@pytest.mark.parametrize("row", [{}, {"entities": None}, {"id": "7", "meta": {"source": "web"}, "label": []}])
def test_a_sentence_without_any_spans_is_told_to_write_an_empty_list(row):
    with pytest.raises(ValueError, match=r"write \[\] for a sentence without entities"):
        sentence_from_row({"text": ["a"], **row}, id="1", tokenisation=WORDS)
