"""Confidence intervals and p-values against known distributions."""

from __future__ import annotations

import numpy as np
import pytest

from utils.dataset.records import Span
from utils.ner.scoring.bootstrap import compare, confidence, ratios, sentence_counts
from utils.ner.scoring.metrics import score_spans


def system(share: float, sentences: int, seed: int) -> np.ndarray:
    """Return the counts of a system that finds this share of the gold spans, one per sentence, and no others."""
    return with_hits(np.random.default_rng(seed).random(sentences) < share)


def with_hits(hits: np.ndarray) -> np.ndarray:
    hits = hits.astype(np.int64)
    return np.stack([hits, hits, np.ones_like(hits)], axis=1)


def test_ratios_of_counts_equal_those_of_the_report():
    gold = [[Span(0, 2, "PER"), Span(3, 4, "LOC")], [Span(0, 1, "LOC")], []]
    found = [[Span(0, 2, "PER"), Span(3, 5, "LOC")], [Span(0, 1, "PER")], [Span(0, 1, "X")]]
    micro = score_spans(gold, found, ["PER", "LOC"]).micro
    counts = sentence_counts(gold, found, ["PER", "LOC"])
    assert counts.tolist() == [[1, 2, 2], [0, 1, 1], [0, 0, 0]]
    assert ratios(counts.sum(axis=0)).tolist() == pytest.approx([micro.precision, micro.recall, micro.f1])


def test_an_interval_is_that_of_the_binomial_distribution():
    counts = system(0.7, 900, seed=0)
    recall = counts[:, 0].mean()
    half = 1.96 * (recall * (1 - recall) / 900) ** 0.5
    interval = confidence(counts)["recall"]
    assert (interval.low, interval.high) == pytest.approx((recall - half, recall + half), abs=0.006)


def test_more_sentences_give_a_smaller_interval():
    few, many = (confidence(system(0.5, size, seed=1))["f1"] for size in (50, 5000))
    assert many.high - many.low < (few.high - few.low) / 5
    assert confidence(system(1.0, 50, seed=1))["f1"].to_list() == [1.0, 1.0]


def test_resampling_in_chunks_gives_the_same_interval(monkeypatch):
    counts = system(0.5, 80, seed=2)
    whole = confidence(counts, seed=3)
    assert confidence(counts, seed=3) == whole
    assert confidence(counts, seed=4) != whole
    monkeypatch.setattr("utils.ner.scoring.bootstrap.CELLS", 1000)
    assert confidence(counts, seed=3) == whole


def test_identical_systems_have_a_p_value_of_one():
    counts = system(0.6, 100, seed=0)
    found = compare(counts, counts)
    assert (found.p_value, found.difference, found.interval.to_list()) == (1.0, 0.0, [0.0, 0.0])


def test_a_clearly_better_system_has_a_small_p_value_and_an_interval_above_zero():
    found = compare(system(0.5, 300, seed=0), system(0.8, 300, seed=1))
    assert found.p_value < 0.002
    assert 0 < found.interval.low < found.difference < found.interval.high


def test_a_small_difference_on_few_sentences_has_a_large_p_value():
    hits = np.arange(30)
    found = compare(with_hits(hits < 18), with_hits((hits < 12) | (hits >= 22)))  # 18 and 20
    assert found.difference > 0
    assert found.p_value > 0.05
    assert found.interval.low < 0 < found.interval.high


def test_swapping_the_systems_changes_only_the_sign():
    one, other = system(0.6, 200, seed=0), system(0.68, 200, seed=1)
    there, back = compare(one, other), compare(other, one)
    assert there.p_value == back.p_value
    assert there.difference == -back.difference
    assert (there.interval.low, there.interval.high) == pytest.approx((-back.interval.high, -back.interval.low))


def test_equally_good_systems_differ_significantly_at_the_rate_of_the_level():
    p_values = [compare(system(0.6, 120, seed=2 * n), system(0.6, 120, seed=2 * n + 1)).p_value for n in range(200)]
    assert 2 <= sum(p < 0.05 for p in p_values) <= 22  # 10 are expected; 22 or more by chance: one in 3,000
    assert 0.35 < np.mean(p_values) < 0.65


def test_sentences_are_resampled_in_pairs():
    base = system(0.5, 400, seed=0)
    better = base.copy()
    better[np.flatnonzero(base[:, 0] == 0)[:12], :2] = 1  # a dozen more, and none less
    elsewhere = np.random.default_rng(5).permutation(better)  # as many, in other sentences
    paired, unpaired = compare(base, better), compare(base, elsewhere)
    assert paired.difference == pytest.approx(unpaired.difference)
    assert paired.p_value < 0.01
    assert unpaired.p_value > 0.2


def test_zero_sentences_are_accepted():
    none = sentence_counts([], [], ["PER"])
    assert confidence(none)["f1"].to_list() == [0.0, 0.0]
    assert compare(none, none).p_value == 1.0


def test_systems_over_different_numbers_of_sentences_are_refused():
    with pytest.raises(ValueError, match="3 sentences cannot be compared with 4"):
        compare(system(0.5, 3, seed=0), system(0.5, 4, seed=0))
