"""Candidates for spans: the best label of each, without those that clash with better ones. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from utils.dataset.records import Span


@dataclass(frozen=True, slots=True)
class SpanCandidate:
    """A span above the threshold: words from `start` to `end` (exclusive), the column of its label, and its logit."""

    start: int
    end: int
    column: int
    logit: float

    def moved(self, by: int) -> SpanCandidate:
        """Return the candidate with its words counted from an earlier one."""
        return replace(self, start=self.start + by, end=self.end + by)


def check_threshold(threshold: float) -> float:
    """Return the threshold; raise ValueError if it is not between 0 and 1."""
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold is {threshold}; it must be between 0 and 1")
    return threshold


def best_labels(candidates: Iterable[SpanCandidate], *, threshold: float) -> list[SpanCandidate]:
    """Return each span's candidate with the highest logit, if it is above the threshold."""
    best: dict[tuple[int, int], SpanCandidate] = {}
    for one in candidates:
        if (known := best.get((one.start, one.end))) is None or one.logit > known.logit:
            best[one.start, one.end] = one
    return [one for one in best.values() if one.logit > to_logit(threshold)]


def drop_clashes(candidates: Sequence[SpanCandidate], *, nested: bool) -> list[SpanCandidate]:
    """Return the candidates, sorted by position, without those that clash with a better one.

    Flat: two spans clash if they share a word. Nested: they clash if they share words and neither lies inside the
    other. Several labels of one span never clash. Of two equal logits, the first by position, then by column, is
    better. Candidates with start, end and logit

        (0, 3) 2.0    (2, 5) 1.0    (1, 2) 0.5

    leave (0, 3) if flat, and (0, 3), (1, 2) if nested: (2, 5) begins inside (0, 3) and ends outside.
    """
    kept: list[SpanCandidate] = []
    taken = _Taken(max((one.end for one in candidates), default=0))
    for one in sorted(candidates, key=lambda one: (-one.logit, one.start, one.end, one.column)):
        if not (taken.crosses if nested else taken.touches)(one.start, one.end):
            taken.add(one.start, one.end)
            kept.append(one)
    return sorted(kept, key=lambda one: (one.start, one.end, one.column))


class _Taken:
    """The spans that are kept, indexed by word: a new span is compared with all of them by looking at its own words.

    `_last_end[start]` is the largest end of the kept spans with this start, or `start` without such spans;
    `_first_start[end]` is the smallest start of those with this (exclusive) end, or `end`.
    """

    def __init__(self, words: int) -> None:
        self._spans: set[tuple[int, int]] = set()
        self._is_taken = bytearray(words)
        self._first_start = list(range(words + 1))
        self._last_end = list(range(words + 1))

    def add(self, start: int, end: int) -> None:
        """Keep a span."""
        self._spans.add((start, end))
        self._is_taken[start:end] = b"\1" * (end - start)
        self._first_start[end] = min(start, self._first_start[end])
        self._last_end[start] = max(end, self._last_end[start])

    def touches(self, start: int, end: int) -> bool:
        """Return whether another kept span shares a word with this one."""
        return (start, end) not in self._spans and 1 in self._is_taken[start:end]

    def crosses(self, start: int, end: int) -> bool:
        """Return whether a kept span has one end inside this one and the other outside."""
        inside = slice(start + 1, end)
        return min(self._first_start[inside], default=start) < start or max(self._last_end[inside], default=end) > end


def to_span(candidate: SpanCandidate, labels: Sequence[str]) -> Span:
    """Return the candidate as a labelled span; its score is the sigmoid of its logit, rounded to six digits."""
    score = 1 / (1 + math.exp(-candidate.logit))
    return Span(candidate.start, candidate.end, labels[candidate.column + 1], score=round(score, 6))


def to_logit(probability: float) -> float:
    """Return the logit of a probability between 0 and 1, exclusive."""
    return math.log(probability / (1 - probability))
