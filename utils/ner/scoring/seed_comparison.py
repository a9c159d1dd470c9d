"""The difference of two systems that were trained with the same seeds and tested on the same sentences.

Other seeds and other test sentences would both change the difference, so its interval allows for both. The sentences
are resampled (bootstrap). The seeds are too few for that: resampling three seeds gives intervals that are much too
narrow, so their part follows Student's t distribution.

Sources: Roe and Metz, 1997, "Variance-Component Modeling in the Analysis of ROC Index Estimates", and Hillis, 2007, "A
Comparison of Denominator Degrees of Freedom Methods for Multiple Observer ROC Analysis": readers there are seeds here,
and cases are sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from utils.ner.scoring.bootstrap import Interval, middle_interval, ratios, resampled_sums

SEED_RESAMPLES = 10_000  # a p-value of 0.05 then varies by about 0.002


@dataclass(frozen=True, slots=True)
class SeedComparison:
    """The mean micro-F1 of the second system minus that of the first one; F1 is between 0 and 1."""

    difference: float
    interval: Interval
    p_value: float  # two-sided
    by_seed: tuple[float, ...]  # the difference with each seed

    @property
    def is_noise(self) -> bool:
        """Whether the interval contains 0: chance alone may explain the difference."""
        return self.interval.low <= 0 <= self.interval.high


def compare_by_seed(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], *, seed: int = 0, resamples: int = SEED_RESAMPLES
) -> SeedComparison:
    """Return the comparison of two systems from their counts.

    `first` and `second` have for each seed, in the same order, an array (sentences, 3) with the numbers of correct,
    predicted and gold spans. With one seed, the noise of the seeds is unknown, and the interval leaves it out.
    """
    counts = _aligned(first, second)  # (sentences, systems * seeds * 3)
    seeds = len(first)
    by_seed = _differences(counts.sum(axis=0)[None], seeds)[0]
    found = float(by_seed.mean())
    drawn = found + _sentence_noise(_differences(resampled_sums(counts, seed, resamples), seeds), found)
    if seeds > 1:
        error = by_seed.std(ddof=1) / np.sqrt(seeds)
        drawn = drawn + error * np.random.default_rng([seed, seeds]).standard_t(seeds - 1, size=resamples)
    drawn = np.clip(drawn, -1, 1)  # with two seeds, the distribution is so wide that it would leave this range
    return SeedComparison(found, middle_interval(drawn), _p_value(drawn), tuple(float(value) for value in by_seed))


def _aligned(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> NDArray[np.int64]:
    """Return all counts beside each other; raise ValueError if seeds or sentences are not the same in number."""
    blocks = [np.asarray(block, dtype=np.int64).reshape(-1, 3) for block in (*first, *second)]
    if len(first) != len(second) or not first:
        raise ValueError(f"{len(first)} seeds cannot be compared with {len(second)}")
    if len({len(block) for block in blocks}) > 1:
        raise ValueError("the systems were tested on different numbers of sentences")
    return np.concatenate(blocks, axis=1)


def _differences(sums: NDArray[np.int64], seeds: int) -> NDArray[np.float64]:
    """Return the differences (resamples, seeds) of micro-F1 from sums (resamples, systems * seeds * 3)."""
    f1 = ratios(sums.reshape(len(sums), 2, seeds, 3))[..., 2]  # (resamples, systems, seeds)
    return f1[:, 1] - f1[:, 0]


def _sentence_noise(drawn: NDArray[np.float64], found: float) -> NDArray[np.float64]:
    """Return the deviations (resamples,) that come from the sentences alone; `drawn` is (resamples, seeds).

    Each seed errs on other sentences. This part of the deviations also makes the seeds differ, and is counted there.
    Without the correction it would count twice, and the intervals would be too wide.
    """
    means = drawn.mean(axis=1)
    seeds, variance = drawn.shape[1], means.var()
    if seeds == 1 or variance == 0:
        return means - found
    counted_twice = (drawn - means[:, None]).var(axis=0).mean() / (seeds - 1)
    return (means - found) * np.sqrt(max(variance - counted_twice, 0) / variance)


def _p_value(drawn: NDArray[np.float64]) -> float:
    """Return twice the share of values on the smaller side of 0; the observed value counts as one more draw."""
    smaller = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (1 + smaller) / (1 + len(drawn)))
