"""The joint judgement of several models: mean scores, and the spans above a threshold without clashes."""

from __future__ import annotations

import pytest

from utils.dataset.records import Span
from utils.ner.prediction.judgement import Judgement, mean_judgement


def judgement(*cells):
    return Judgement((), tuple(Span(start, end, label, score=score) for start, end, label, score in cells))


FIRST = judgement((0, 3, "PER", 0.9), (1, 2, "LOC", 0.8), (2, 5, "PER", 0.7), (6, 7, "LOC", 1.0))
SECOND = judgement((0, 3, "PER", 0.7), (0, 3, "LOC", 0.9), (1, 2, "LOC", 0.6), (2, 5, "PER", 0.7), (8, 9, "PER", 0.01))


def spans(nested, threshold=0.5):
    found = mean_judgement([FIRST, SECOND], threshold=threshold, nested=nested)
    return [(span.start, span.end, span.label, span.score) for span in found.spans]


@pytest.mark.parametrize(
    ("nested", "expected"),
    [(False, [(0, 3, "PER", 0.8)]), (True, [(0, 3, "PER", 0.8), (1, 2, "LOC", 0.7)])],
)
def test_spans_have_the_best_mean_and_do_not_clash(nested, expected):
    assert spans(nested) == expected


def test_a_span_has_one_label_and_a_threshold_of_the_mean():
    assert spans(False, threshold=0.4) == [(0, 3, "PER", 0.8), (6, 7, "LOC", 0.5)]


def test_a_cell_has_the_mean_score_and_unlikely_ones_are_left_out():
    cells = mean_judgement([FIRST, SECOND], threshold=0.5, nested=False).cells
    assert [(cell.start, cell.end, cell.label, cell.score) for cell in cells] == [
        (0, 3, "LOC", 0.45),
        (0, 3, "PER", 0.8),
        (1, 2, "LOC", 0.7),
        (2, 5, "PER", 0.7),
        (6, 7, "LOC", 0.5),
    ]
