"""Mentions whose predicted label differs from the one that the LLM was asked to write about."""

from __future__ import annotations

import pytest

from utils.marking.review import Review, doubtful_mentions

TEXT = ["Agnes", "Muir", "saw", "Rome", "."]


def row(*spans, asked=("Agnes Muir(PER)", "Rome(LOC)"), text=TEXT, id_="17-1"):
    entities = [
        {"start": start, "end": end, "entity": label, "text": text[start:end], "origin": "ner", "score": score}
        for start, end, label, score in spans
    ]
    return {"id": id_, "source": 17, "text": text, "entities": entities, "synthetic": True, "asked": list(asked)}


def found(*rows, labels=("PER", "LOC", "ORG")):
    mentions = [mention for one in rows for mention in doubtful_mentions(one, labels)]
    return [(one["start"], one["end"], one["asked"], one["predicted"], one["score"]) for one in mentions]


def test_mentions_with_the_asked_label_need_no_review():
    assert found(row((0, 2, "PER", 0.9), (3, 4, "LOC", 0.9))) == []


def test_another_label_and_no_label_need_review():
    assert found(row((0, 2, "ORG", 0.8))) == [(0, 2, ["PER"], "ORG", 0.8), (3, 4, ["LOC"], None, None)]


@pytest.mark.parametrize(("label", "reviewed"), [("PER", []), ("LOC", [(0, 2, ["PER"], "LOC", 0.6)])])
def test_a_span_with_other_bounds_is_compared_by_its_label(label, reviewed):
    assert found(row((0, 1, label, 0.6), (3, 4, "LOC", 0.9))) == reviewed


def test_an_entity_that_was_asked_for_with_two_labels_may_have_either():
    both = ("Rome(LOC)", "Rome(ORG)")
    assert found(row((3, 4, "ORG", 0.9), asked=both)) == []
    assert found(row((3, 4, "PER", 0.9), asked=both)) == [(3, 4, ["LOC", "ORG"], "PER", 0.9)]


def test_every_occurrence_is_compared():
    twice = row((0, 1, "LOC", 0.9), asked=["Rome(LOC)"], text=["Rome", "is", "not", "Rome", "."])
    assert found(twice) == [(3, 4, ["LOC"], None, None)]


def test_entities_not_in_the_sentence_or_of_unknown_labels_are_skipped():
    assert found(row(asked=["Oslo(LOC)"])) == []
    assert found(row(asked=["Rome(CITY)", "no label"])) == []


def test_a_name_may_contain_brackets_and_tokens_may_be_characters():
    dense = row((0, 5, "ORG", 0.7), asked=["邓（超）(PER)"], text=list("邓（超）来了。"))
    assert found(dense) == [(0, 4, ["PER"], "ORG", 0.7)]


def test_rows_with_another_label_are_dropped_on_request_but_not_those_without_one():
    rows = [row((0, 2, "ORG", 0.8)), row((0, 2, "PER", 0.8), id_="17-2")]
    review = Review(drop_disagreeing=True)
    mentions = [list(doubtful_mentions(one, {"PER", "LOC", "ORG"})) for one in rows]
    kept = [one for one, doubtful in zip(rows, mentions, strict=True) if review.keeps(one, doubtful)]
    assert [one["id"] for one in kept] == ["17-2"]
    assert review.counts == {"sentences": 1, "spans": 1, "disagreeing": 1, "unmarked": 2, "dropped": 1}
    assert sum(map(len, mentions)) == 3


def test_a_row_without_asked_entities_is_skipped():
    bare = row((0, 2, "ORG", 0.8))
    del bare["asked"]
    assert found(bare) == []
