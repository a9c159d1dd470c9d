"""From scores to spans: which cells are kept, and which of two that clash."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from utils.dataset.records import Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span above the threshold: words from `start` to `end` (exclusive), the score's column, and its logit."""

    start: int
    end: int
    column: int
    logit: float

    def moved(self, by: int) -> Candidate:
        return replace(self, start=self.start + by, end=self.end + by)


def check_threshold(threshold: float) -> float:
    """Return the threshold; raise ValueError where no probability can be over it, or every one is."""
    if not 0 < threshold < 1:
        raise ValueError(f"the threshold is {threshold}; it must be between 0 and 1")
    return threshold


def find_candidates(bands: Iterable[Tensor], *, threshold: float, multi_label: bool) -> list[list[Candidate]]:
    """Return the candidates of each sentence from the logits of all rows of cells, some rows at a time.

    A band is (batch, rows, words, labels); cells that are no span are -inf. A span has its best label, or with
    `multi_label` every one above the threshold.
    """
    found: list[list[Candidate]] = []
    row = 0
    for logits in bands:
        found = found or [[] for _ in logits]
        for sentence, one in _above(logits, threshold, multi_label):
            found[sentence].append(replace(one, start=one.start + row))
        row += logits.shape[1]
    return found


def _above(logits: Tensor, threshold: float, multi_label: bool) -> Iterator[tuple[int, Candidate]]:
    """Yield (sentence, candidate) of a band, whose first row counts as word 0."""
    least = math.log(threshold / (1 - threshold))
    if multi_label:
        cells = (logits > least).nonzero()
    else:
        best = logits.max(dim=-1)
        spans = (best.values > least).nonzero()
        cells = torch.cat([spans, best.indices[tuple(spans.T)][:, None]], dim=1)
    for (sentence, start, last, column), logit in zip(cells.tolist(), logits[tuple(cells.T)].tolist(), strict=True):
        yield sentence, Candidate(start, last + 1, column, logit)


def drop_clashes(candidates: Sequence[Candidate], *, nested: bool) -> list[Candidate]:
    """Return the candidates that remain, by position, when the best of those that clash is kept.

    Flat: no two spans share a word. Nested: a span may lie inside another, but not reach across its border. Several
    labels of one span never clash. Of equal scores the first by position, then by column, is the best.
    """
    kept: list[Candidate] = []
    taken = _Taken(max((one.end for one in candidates), default=0))
    for one in sorted(candidates, key=lambda one: (-one.logit, one.start, one.end, one.column)):
        if not (taken.crosses if nested else taken.touches)(one.start, one.end):
            taken.add(one.start, one.end)
            kept.append(one)
    return sorted(kept, key=lambda one: (one.start, one.end, one.column))


class _Taken:
    """The spans that are kept, by word: a new one is compared with all of them in one look at its own words."""

    def __init__(self, words: int) -> None:
        self._spans: set[tuple[int, int]] = set()
        self._is_taken = bytearray(words)
        self._first_start = list(range(words + 1))  # of the kept spans that end there
        self._last_end = list(range(words + 1))  # of those that start there

    def add(self, start: int, end: int) -> None:
        self._spans.add((start, end))
        self._is_taken[start:end] = b"\1" * (end - start)
        self._first_start[end] = min(start, self._first_start[end])
        self._last_end[start] = max(end, self._last_end[start])

    def touches(self, start: int, end: int) -> bool:
        """Tell whether another span shares a word with this one."""
        return (start, end) not in self._spans and 1 in self._is_taken[start:end]

    def crosses(self, start: int, end: int) -> bool:
        """Tell whether another span has one end inside this one, and one outside."""
        inside = slice(start + 1, end)
        return min(self._first_start[inside], default=start) < start or max(self._last_end[inside], default=end) > end


def to_span(candidate: Candidate, labels: Sequence[str]) -> Span:
    """Return the candidate as a labelled span; its score is the sigmoid of its logit, rounded to six digits."""
    score = 1 / (1 + math.exp(-candidate.logit))
    return Span(candidate.start, candidate.end, labels[candidate.column + 1], score=round(score, 6))
