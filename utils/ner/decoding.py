"""From scores to spans: which cells are kept, and which of two that clash."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from utils.records import Span


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span above the threshold: words from `start` to `end` (exclusive), the score's column, and its logit."""

    start: int
    end: int
    column: int
    logit: float

    def moved(self, by: int) -> Candidate:
        return replace(self, start=self.start + by, end=self.end + by)


def find_candidates(logits: Tensor, *, targets: int, threshold: float, multi_label: bool) -> list[list[Candidate]]:
    """Return the candidates of each sentence from logits (batch, words, words, labels), -inf where no span can be.

    Columns from `targets` on, the extensions, are dropped. A span has its best label, or with `multi_label` every
    one above the threshold.
    """
    scores = logits[..., :targets]
    if not multi_label:
        best = scores.max(dim=-1, keepdim=True)
        scores = torch.full_like(scores, -torch.inf).scatter(-1, best.indices, best.values)
    cells = (scores > math.log(threshold / (1 - threshold))).nonzero()
    found: list[list[Candidate]] = [[] for _ in range(len(logits))]
    for (sentence, start, last, column), logit in zip(cells.tolist(), scores[tuple(cells.T)].tolist(), strict=True):
        found[sentence].append(Candidate(start, last + 1, column, logit))
    return found


def drop_clashes(candidates: Sequence[Candidate], *, nested: bool) -> list[Candidate]:
    """Return the candidates that remain, by position, when the best of those that clash is kept.

    Flat: no two spans share a word. Nested: a span may lie inside another, but not reach across its border. Several
    labels of one span never clash.
    """
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (-one.logit, one.start, one.end, one.column)):
        if not any(_clash(candidate, other, nested) for other in kept):
            kept.append(candidate)
    return sorted(kept, key=lambda one: (one.start, one.end, one.column))


def to_span(candidate: Candidate, labels: Sequence[str]) -> Span:
    """Return the candidate as a labelled span; its score is the sigmoid of its logit, rounded to six digits."""
    score = 1 / (1 + math.exp(-candidate.logit))
    return Span(candidate.start, candidate.end, labels[candidate.column + 1], score=round(score, 6))


def _clash(one: Candidate, other: Candidate, nested: bool) -> bool:
    if one.end <= other.start or other.end <= one.start:
        return False
    if (one.start, one.end) == (other.start, other.end):
        return False
    contained = (one.start - other.start) * (one.end - other.end) <= 0
    return not (nested and contained)
