"""Which cells become spans."""

from __future__ import annotations

import random

import pytest
import torch

from utils.ner.prediction.candidates import SpanCandidate, drop_clashes, to_span
from utils.ner.prediction.decoding import find_candidates


def logits_of(cells: dict[tuple[int, int, int], float], words: int = 4, columns: int = 2) -> torch.Tensor:
    logits = torch.full((1, words, words, columns), -5.0)
    rows, below = torch.tril_indices(words, words, offset=-1)
    logits[:, rows, below] = -torch.inf
    for (start, last, column), value in cells.items():
        logits[0, start, last, column] = value
    return logits


def found(logits: torch.Tensor, *, multi_label: bool = False, threshold: float = 0.5) -> list[tuple[int, int, int]]:
    (row,) = find_candidates(logits.split(3, dim=1), threshold=threshold, multi_label=multi_label)
    return [(one.start, one.end, one.column) for one in row]


def kept(*spans: tuple[int, int, float], nested: bool) -> list[tuple[int, int]]:
    candidates = [SpanCandidate(start, end, 0, logit) for start, end, logit in spans]
    return [(one.start, one.end) for one in drop_clashes(candidates, nested=nested)]


def test_a_span_above_the_threshold_is_found_with_an_exclusive_end():
    assert found(logits_of({(1, 2, 0): 0.1, (0, 0, 1): 3.0})) == [(0, 1, 1), (1, 3, 0)]


def test_a_score_equal_to_the_threshold_is_not_enough():
    assert found(logits_of({(1, 2, 0): 0.0})) == []


def test_the_threshold_is_a_probability():
    cells = logits_of({(0, 0, 0): 2.0, (1, 1, 0): 2.3})  # sigmoid: 0.881, 0.909
    assert found(cells, threshold=0.9) == [(1, 2, 0)]


def test_rows_are_counted_on_from_band_to_band():
    assert found(logits_of({(3, 3, 0): 1.0, (2, 3, 1): 1.0, (0, 1, 0): 1.0})) == [(0, 2, 0), (2, 4, 1), (3, 4, 0)]


def test_a_span_has_its_best_label_or_with_multi_label_all_above_the_threshold():
    cells = logits_of({(0, 1, 0): 1.0, (0, 1, 1): 2.0})
    assert found(cells) == [(0, 2, 1)]
    assert found(cells, multi_label=True) == [(0, 2, 0), (0, 2, 1)]


def test_flat_decoding_keeps_the_best_of_overlapping_spans():
    assert kept((0, 3, 1.0), (1, 2, 2.0), (2, 4, 0.5), nested=False) == [(1, 2), (2, 4)]


def test_nested_decoding_keeps_spans_inside_others_but_not_crossing_ones():
    assert kept((0, 3, 1.0), (1, 2, 2.0), (2, 4, 0.5), nested=True) == [(0, 3), (1, 2)]
    assert kept((0, 3, 1.0), (0, 2, 2.0), (1, 3, 0.5), nested=True) == [(0, 2), (0, 3)]


def test_adjacent_spans_do_not_clash():
    assert kept((0, 2, 1.0), (2, 4, 1.0), nested=False) == [(0, 2), (2, 4)]


def test_several_labels_of_one_span_do_not_clash():
    both = [SpanCandidate(0, 2, 0, 1.0), SpanCandidate(0, 2, 1, 2.0)]
    assert [one.column for one in drop_clashes(both, nested=False)] == [0, 1]


def test_logits_with_equal_sigmoids_are_still_ordered():
    assert kept((0, 2, 40.0), (1, 3, 41.0), nested=False) == [(1, 3)]


def test_a_span_has_its_label_and_its_rounded_score():
    span = to_span(SpanCandidate(1, 3, 1, 0.5), ("O", "PER", "LOC"))
    assert (span.start, span.end, span.label, span.score) == (1, 3, "LOC", 0.622459)


def plainly_kept(candidates: list[SpanCandidate], *, nested: bool) -> list[SpanCandidate]:
    """Return the kept candidates by comparing all pairs word by word."""
    kept: list[SpanCandidate] = []
    for one in sorted(candidates, key=lambda one: (-one.logit, one.start, one.end, one.column)):
        words = set(range(one.start, one.end))
        others = [set(range(other.start, other.end)) for other in kept]
        clashes = [other for other in others if words & other and words != other]
        if not any(not (nested and (words < other or other < words)) for other in clashes):
            kept.append(one)
    return sorted(kept, key=lambda one: (one.start, one.end, one.column))


@pytest.mark.parametrize("nested", [False, True])
def test_the_kept_spans_equal_those_of_comparing_all_pairs(nested):
    rng = random.Random(nested)
    for _ in range(300):
        spans = [sorted(rng.sample(range(12), 2)) for _ in range(rng.randrange(25))]
        candidates = [
            SpanCandidate(start, end, rng.randrange(3), rng.choice([0.5, 1.0, rng.random()])) for start, end in spans
        ]
        assert drop_clashes(candidates, nested=nested) == plainly_kept(candidates, nested=nested)


def test_the_order_of_candidates_does_not_matter():
    candidates = [SpanCandidate(start, start + 2, column, 1.0) for start in range(9) for column in range(2)]
    shuffled = random.Random(0).sample(candidates, len(candidates))
    assert drop_clashes(shuffled, nested=False) == drop_clashes(candidates, nested=False)
    assert [one.start for one in drop_clashes(shuffled, nested=False)] == [0, 0, 2, 2, 4, 4, 6, 6, 8, 8]
