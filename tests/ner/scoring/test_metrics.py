"""Precision, recall and F1 against counts by hand and by a simpler method."""

from __future__ import annotations

import random

import pytest

from utils.dataset.records import Span
from utils.ner.scoring.metrics import score_spans

LABELS = ("PER", "LOC", "ORG")


def test_a_span_is_correct_only_if_start_end_and_label_are():
    gold = [[Span(0, 2, "PER"), Span(3, 4, "LOC")], [Span(0, 1, "LOC")]]
    found = [[Span(0, 2, "PER", score=0.9), Span(3, 5, "LOC")], [Span(0, 1, "PER")]]
    report = score_spans(gold, found, LABELS)
    assert (report.micro.correct, report.micro.predicted, report.micro.gold) == (1, 3, 3)
    assert report.micro.f1 == pytest.approx(1 / 3)
    assert report.per_label["PER"].precision == 0.5
    assert report.per_label["PER"].recall == 1.0
    assert report.per_label["LOC"].f1 == 0.0


def test_macro_is_the_mean_over_labels_that_occur():
    report = score_spans([[Span(0, 1, "PER"), Span(1, 2, "LOC")]], [[Span(0, 1, "PER")]], LABELS)
    assert report.macro() == {"precision": 0.5, "recall": 0.5, "f1": 0.5}


def test_spans_of_different_sentences_are_not_matched():
    report = score_spans([[Span(0, 1, "PER")], []], [[], [Span(0, 1, "PER")]], LABELS)
    assert report.micro.correct == 0


def test_zero_gold_and_predicted_spans_score_zero():
    assert score_spans([[]], [[]], LABELS).to_dict()["micro"]["f1"] == 0.0


def test_spans_of_labels_that_are_not_scored_are_ignored():
    report = score_spans([[Span(0, 1, "PER"), Span(0, 1, "NOUN")]], [[Span(0, 1, "PER")]], LABELS)
    assert report.micro.f1 == 1.0


def test_counts_agree_with_a_count_over_all_possible_spans():
    rng = random.Random(0)
    places = [(s, start, start + 1, label) for s in range(20) for start in range(5) for label in LABELS]
    gold, found = ({place for place in places if rng.random() < 0.3} for _ in range(2))
    report = score_spans(_by_sentence(gold), _by_sentence(found), LABELS)
    hits = sum(place in gold and place in found for place in places)
    precision, recall = hits / len(found), hits / len(gold)
    assert report.micro.f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert (report.micro.precision, report.micro.recall) == (precision, recall)


def test_the_table_has_a_line_for_each_label_and_both_means():
    lines = score_spans([[Span(0, 1, "PER")]], [[Span(0, 1, "PER")]], LABELS).to_text().splitlines()
    assert [line.split()[0] for line in lines] == ["P", *LABELS, "micro", "macro"]
    assert lines[1].split()[1:] == ["100.00", "100.00", "100.00", "1", "1"]


def _by_sentence(places: set[tuple[int, int, int, str]]) -> list[list[Span]]:
    return [[Span(start, end, label) for s, start, end, label in places if s == sentence] for sentence in range(20)]
