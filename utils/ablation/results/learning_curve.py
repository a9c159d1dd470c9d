"""How many annotated sentences a gain is worth, read off the scores of base with several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log


@dataclass(frozen=True)
class Worth:
    """The number of additional annotated sentences with which base reaches a score; None if it cannot be read off."""

    sentences: int | None
    note: str = ""  # the reason for None

    def __str__(self) -> str:
        return self.note if self.sentences is None else f"{self.sentences:+d}"


def sentences_worth(score: float, at: int, curve: Mapping[int, float]) -> Worth:
    """Return how many sentences more than `at` base needs for `score`.

    `curve` has the score of base by its number of sentences, `at` included. Between two numbers, scores are
    interpolated on the logarithm of the number: with 70 at 250 sentences and 74 at 500, a score of 72 is that of 354
    sentences, and is worth 104.
    """
    numbers = sorted(curve)
    if score == curve[at]:
        return Worth(0)
    larger = score > curve[at]
    path = [n for n in numbers if n >= at] if larger else [n for n in reversed(numbers) if n <= at]
    if len(path) == 1:
        return Worth(None, "not measurable")
    for near, far in pairwise(path):
        low, high = sorted((curve[near], curve[far]))
        if low <= score <= high and low < high:
            share = (score - curve[near]) / (curve[far] - curve[near])
            return Worth(round(exp(log(near) + share * (log(far) - log(near)))) - at)
    return Worth(None, "more than all" if larger else "less than the smallest size")
