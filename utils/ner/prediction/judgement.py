"""What one or several models say about a text: its spans, and how likely every cell is. Standard library only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from utils.dataset.records import Span, SpanKey
from utils.ner.prediction.candidates import SpanCandidate, best_labels, drop_clashes, to_logit, to_span

HIGHEST_SCORE = 1 - 1e-9  # 1 has no logit
LOWEST_SCORE = 0.01  # of a cell that is kept; of about 1,300 cells of a sentence with 50 tokens, fewer than ten are


@dataclass(frozen=True, slots=True)
class Judgement:
    """A text's spans, and its cells with a probability above LOWEST_SCORE, with their scores."""

    spans: tuple[Span, ...]
    cells: tuple[Span, ...]


# Tokens of each text, the longest text first -> judgement of each text. Few texts are in memory at a time.
Judge = Callable[[Iterable[Sequence[str]]], Iterator[Judgement]]


def mean_judgement(judgements: Sequence[Judgement], *, threshold: float, nested: bool) -> Judgement:
    """Return the joint judgement of several models about one text.

    A cell's score is the mean of the models' scores, 0 for a model that does not list it. The spans are the cells with
    a mean above the threshold, one label each, without clashes.
    """
    scores: dict[SpanKey, float] = defaultdict(float)
    for one in judgements:
        for span in one.cells:
            scores[span.start, span.end, span.label] += (span.score or 0.0) / len(judgements)
    labels = sorted({label for *_, label in scores})
    cells = [
        SpanCandidate(start, end, labels.index(label), to_logit(min(score, HIGHEST_SCORE)))
        for (start, end, label), score in sorted(scores.items())
        if score > LOWEST_SCORE
    ]
    spans = drop_clashes(best_labels(cells, threshold=threshold), nested=nested)
    return Judgement(*(tuple(to_span(one, ("O", *labels)) for one in found) for found in (spans, cells)))
