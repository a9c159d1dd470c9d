"""What one or several models say about a text: its spans, and how likely every cell is. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.dataset.records import Span

LOWEST_SCORE = 0.01  # of a cell that is kept; of about 1,300 cells of a sentence with 50 tokens, fewer than ten are


@dataclass(frozen=True, slots=True)
class Judgement:
    """A text's spans, and its cells with a probability above LOWEST_SCORE, with their scores."""

    spans: tuple[Span, ...]
    cells: tuple[Span, ...]


Judge = Callable[[Sequence[Sequence[str]]], Sequence[Judgement]]  # tokens of each text -> judgement of each text


def mean_judgement(judgements: Sequence[Judgement], *, threshold: float, nested: bool) -> Judgement:
    """Return the joint judgement of several models about one text.

    A cell's score is the mean of the models' scores, 0 for a model that does not list it. The spans are the cells with
    a mean above the threshold, one label each, without clashes.
    """
    scores: dict[tuple[int, int, str], float] = defaultdict(float)
    for one in judgements:
        for span in one.cells:
            scores[span.start, span.end, span.label] += (span.score or 0.0) / len(judgements)
    cells = [Span(*key, score=round(score, 6)) for key, score in sorted(scores.items()) if score > LOWEST_SCORE]
    return Judgement(_decode(cells, threshold, nested=nested), tuple(cells))


def _decode(cells: Sequence[Span], threshold: float, *, nested: bool) -> tuple[Span, ...]:
    """Return the spans above the threshold, sorted by position; of several that clash, the one with the best score."""
    kept: list[Span] = []
    for span in sorted(cells, key=lambda span: (-(span.score or 0.0), span.start, span.end, span.label)):
        if (span.score or 0.0) > threshold and not any(_clash(span, other, nested=nested) for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: (span.start, span.end)))


def _clash(one: Span, other: Span, *, nested: bool) -> bool:
    """Return whether two spans cannot both be kept; two labels of one span always clash."""
    if (one.start, one.end) == (other.start, other.end):
        return True
    shares = one.start < other.end and other.start < one.end
    inside = (one.start <= other.start and other.end <= one.end) or (other.start <= one.start and one.end <= other.end)
    return shares and not (nested and inside)
