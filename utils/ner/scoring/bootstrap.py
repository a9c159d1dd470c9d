"""Confidence intervals and p-values of scores by bootstrap over sentences.

Sources: Efron and Tibshirani, 1993, "An Introduction to the Bootstrap"; Berg-Kirkpatrick, Burkett and Klein, 2012, "An
Empirical Investigation of Statistical Significance in NLP".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from utils.dataset.records import Span
from utils.dataset.scores import RATIOS
from utils.ner.scoring.error_kinds import span_keys
from utils.wording import counted

CountArray = NDArray[np.int64]  # (sentences, 3): numbers of correct, predicted and gold spans
RatioArray = NDArray[np.float64]  # (…, 3): precision, recall, F1

RESAMPLES = 1000
LEVEL = 0.95  # share of resampled test sets inside an interval
CELLS = 1 << 22  # random numbers drawn at once: bounds the memory


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of a ratio's values in resampled test sets."""

    low: float
    high: float

    def to_list(self) -> list[float]:
        """Return [low, high] for a JSON file."""
        return [round(self.low, 6), round(self.high, 6)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The micro-F1 of a second system minus that of a first one, on the same sentences."""

    difference: float
    interval: Interval
    p_value: float  # two-sided: probability of a difference at least as large by chance
    sentences: int
    resamples: int

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison for a JSON file; F1 is between 0 and 1."""
        return {
            "f1_difference": round(self.difference, 6),
            "interval": self.interval.to_list(),
            "p_value": round(self.p_value, 6),
            "sentences": self.sentences,
            "resamples": self.resamples,
        }

    def to_text(self) -> str:
        """Return the comparison as one line; F1 in points of per cent."""
        low, high = 100 * self.interval.low, 100 * self.interval.high
        return (
            f"micro-F1 of the second minus the first: {100 * self.difference:+.2f} (95 %: {low:+.2f} to {high:+.2f}), "
            f"p = {self.p_value:.3f} (two-sided paired bootstrap, {counted(self.resamples, 'resample')} of "
            f"{counted(self.sentences, 'sentence')})"
        )


def sentence_counts(
    gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]], labels: Collection[str]
) -> CountArray:
    """Return the counts of each sentence, for spans with one of `labels`.

    Gold spans (0, 2, PER), (3, 4, LOC) and predicted spans (0, 2, PER), (3, 4, ORG) count as (1, 2, 2).
    """
    pairs = [(span_keys(g, labels), span_keys(p, labels)) for g, p in zip(gold, predicted, strict=True)]
    return np.array([(len(g & p), len(p), len(g)) for g, p in pairs], dtype=np.int64).reshape(-1, 3)


def ratios(counts: NDArray[np.int64]) -> RatioArray:
    """Return (…, 3), precision, recall and F1, from counts (…, 3); a ratio with divisor 0 is 0."""
    right, predicted, gold = np.moveaxis(counts, -1, 0)
    divisors = np.stack([predicted, gold, predicted + gold], axis=-1)
    return np.stack([right, right, 2 * right], axis=-1) / np.maximum(divisors, 1)


def confidence(counts: CountArray, *, seed: int = 0, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """Return the confidence intervals of micro precision, recall and F1."""
    columns = ratios(resampled_sums(counts, seed, resamples)).T
    return {name: middle_interval(column) for name, column in zip(RATIOS, columns, strict=True)}


def compare(first: CountArray, second: CountArray, *, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Return the comparison of two systems from their counts of the same sentences in the same order.

    Sentences are resampled together for both systems (paired bootstrap). The p-value is the share of resamples, with
    the test set itself added, for which |resampled difference - observed difference| >= |observed difference|.
    """
    if len(first) != len(second):
        raise ValueError(f"{counted(len(first), 'sentence')} cannot be compared with {len(second)}")
    found = float(ratios(second.sum(axis=0))[2] - ratios(first.sum(axis=0))[2])
    both = resampled_sums(np.concatenate([first, second], axis=1), seed, resamples)
    drawn = ratios(both[:, 3:])[:, 2] - ratios(both[:, :3])[:, 2]
    farther = int((np.abs(drawn - found) >= abs(found) - 1e-12).sum())
    return Comparison(found, middle_interval(drawn), (1 + farther) / (1 + resamples), len(first), resamples)


def resampled_sums(counts: NDArray[np.int64], seed: int, resamples: int) -> NDArray[np.int64]:
    """Return the sums (resamples, columns) of counts (sentences, columns), over sentences drawn with replacement."""
    rng = np.random.default_rng(seed)
    sentences = len(counts)
    sums = np.zeros((resamples, counts.shape[1]), dtype=np.int64)
    step = max(1, CELLS // max(sentences, 1))
    for start in range(0, resamples if sentences else 0, step):
        size = min(step, resamples - start)
        times = rng.multinomial(sentences, np.full(sentences, 1 / sentences), size=size)  # (resamples, sentences)
        sums[start : start + size] = times @ counts
    return sums


def middle_interval(values: RatioArray) -> Interval:
    """Return the middle LEVEL of values (resamples,)."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))
