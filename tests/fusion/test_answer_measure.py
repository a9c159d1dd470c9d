"""Measures of answers: how much of the text parts of speech cover, and how much two answers agree."""

from __future__ import annotations

import json

import pytest

from utils.annotation.rows import AnnotationRow
from utils.fusion.answer_measure import MAX_MEASURED, AnswerMeasure
from utils.parsing import ITEM_KEYS, Item, read_answer


def answer(mode, *pairs):
    return json.dumps([dict(zip(ITEM_KEYS[mode], pair, strict=True)) for pair in pairs], ensure_ascii=False)


def row(mode, text, *answers, status="ok"):
    items = read_answer(answers[0], mode, " ".join(text)) if answers else []
    return AnnotationRow("1", tuple(text), mode, items or [], answers, status)


def pos(*words):
    return answer("pos", *((word, "名词") for word in words))


@pytest.mark.parametrize(
    ("rows", "coverage"),
    [
        ([row("pos", "邓超在北京", pos("邓超", "在", "北京"))], 1.0),  # words of one character count
        ([row("pos", "邓超在北京", pos("邓超", "上海"))], 0.4),
        ([row("pos", ["New York", " ", "wins"], pos("wins"))], 4 / 11),
        ([row("pos", "邓超", pos("邓超")), row("pos", "北京", pos())], 0.5),
        ([row("pos", "邓超", status="unreadable")], None),
        ([row("entity", "邓超", answer("entity", ("邓超", "人名")))], None),
        ([], None),
    ],
)
def test_coverage_is_the_share_of_the_text_in_words_with_a_part_of_speech(rows, coverage):
    found = AnswerMeasure.of({"pos": rows}).coverage
    assert found == (None if coverage is None else pytest.approx(coverage))


def test_answers_to_the_same_sentence_are_compared_in_pairs():
    one = answer("entity", ("邓超", "人名"), ("北京", "地名"))
    two = answer("entity", ("邓超", "人名"), ("北京", "城市"))
    three = answer("entity", ("北京", "城市"))
    measure = AnswerMeasure.of({"entity": [row("entity", "邓超在北京", one, two, three)]})
    found = measure.agreement["entity"]
    assert (found.pairs, found.spans) == (2, 4 + 3)
    assert (found.share, found.share_with_label) == (pytest.approx(6 / 7), pytest.approx(4 / 7))
    assert str(measure) == (
        "two answers to the same sentence share 86% of their entity spans (57% with the label, 2 pairs of answers)"
    )
    assert measure.to_json() == {"entity_agreement": {"pairs": 2, "spans": 0.8571, "spans_with_label": 0.5714}}


def test_answers_that_cannot_be_read_are_in_no_pair_and_two_empty_ones_agree():
    measure = AnswerMeasure.of({"entity": [row("entity", "邓超", "?", "[]", "[]"), row("entity", "邓超", "[]")]})
    assert measure.agreement["entity"].pairs == 1
    assert measure.agreement["entity"].share == 1.0


def test_little_coverage_or_agreement_gives_advice():
    little = AnswerMeasure.of({"pos": [row("pos", "邓超在北京", pos("邓超"))]})
    assert little.advice == "much of the text has no part of speech: try --guided, or a larger LLM"
    assert str(little) == "parts of speech cover 40% of the text"
    apart = row("entity", "邓超在北京", answer("entity", ("邓超", "人名")), answer("entity", ("北京", "地名")))
    assert "more --votes" in str(AnswerMeasure.of({"entity": [apart]}).advice)
    assert AnswerMeasure.of({"pos": [row("pos", "邓超", pos("邓超"))]}).advice is None


def test_nothing_is_said_without_parts_of_speech_and_with_single_answers():
    measure = AnswerMeasure.of({"entity": [AnnotationRow("1", ("a",), "entity", [Item("a", "x")], ["[]"], "ok")]})
    assert (str(measure), measure.advice, measure.to_json()) == ("", None, {})


def test_only_the_first_rows_are_measured():
    rows = [row("pos", "邓超", pos("邓超"))] * MAX_MEASURED + [row("pos", "邓超", pos())] * 10
    assert AnswerMeasure.of({"pos": rows}).coverage == 1.0
