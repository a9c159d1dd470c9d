"""What the loss expects of each cell of a sentence: a span, no span, a probability, or nothing because it is unknown.

The target labels of synthetic sentences come from a span model (s7), and optionally also from the LLM
(s3 --mode=target). In the rows that s7 writes,

    entities        the spans that the model predicts ("origin": "ner")
    target_scores   every cell that the model gives a probability above 0.01, with its "score"
    llm_spans       the spans that the LLM finds; without this key, the LLM was not asked
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Literal

from utils.dataset.records import LLM_SPANS, TARGET_SCORES, Sentence, Span, SpanKey, read_spans
from utils.ner.prediction.judgement import LOWEST_SCORE

SyntheticTargets = Literal["hard", "soft", "agreed", "fused"]
CellTargets = Mapping[SpanKey, float]  # the probability of a span, or UNKNOWN

UNKNOWN = math.nan

# Log-odds that an LLM's answer adds to those of the model: for a span that the LLM finds, too, and for one that none of
# its spans overlaps. Measured on 150 dev sentences of Chinese video titles with Qwen2.5-Coder-1.5B-Instruct.
FOUND_BY_LLM, NOT_FOUND_BY_LLM = 1.8, -1.6


def span_cells(sentence: Sentence) -> CellTargets:
    """Return 1 for each span of a sentence."""
    return {span.key: 1.0 for span in sentence.spans}


def cell_targets(sentence: Sentence, targets: Collection[str], kind: SyntheticTargets) -> CellTargets:
    """Return the value of each cell that is not simply "no span" (0).

    Spans of extension labels and of gold sentences are 1 in every kind. For a synthetic sentence with scores, the cells
    of the labels in `targets` are

        hard     1 for the spans that the model predicts
        soft     the scores
        agreed   1 for spans that both the model and the LLM find, UNKNOWN for those that only one of them finds
        fused    the scores, raised or lowered by how much a span of the LLM with the same label overlaps the cell

    Without the LLM's spans, `agreed` is `hard` and `fused` is `soft`.
    """
    spans = span_cells(sentence)
    if kind == "hard" or not has_scores(sentence):
        return spans
    known = {key: value for key, value in spans.items() if key[2] not in targets}
    found = {key for key in spans if key[2] in targets}
    scores = _scores(sentence, targets)
    llm = _llm_cells(sentence, targets)
    if kind == "agreed":
        return {**known, **(dict.fromkeys(found, 1.0) if llm is None else _agreed(found, llm))}
    return {**known, **(scores if kind == "soft" or llm is None else _fused(scores, llm))}


def has_scores(sentence: Sentence) -> bool:
    """Return whether a sentence is synthetic and has the scores of a model beside its spans."""
    return sentence.is_synthetic and TARGET_SCORES in sentence.row


def judgements(sentence: Sentence) -> list[Any]:
    """Return the scores and the LLM's spans of a sentence, for the fingerprint of a training's data."""
    return [[key, sentence.row[key]] for key in (TARGET_SCORES, LLM_SPANS) if key in sentence.row]


def _scores(sentence: Sentence, targets: Collection[str]) -> dict[SpanKey, float]:
    scores = {}
    for span in _spans(sentence, TARGET_SCORES):
        if not isinstance(span.score, (int, float)) or not 0 <= span.score <= 1:
            raise ValueError(
                f'sentence {sentence.id}: a "score" in "{TARGET_SCORES}" is {span.score!r}, not a probability'
            )
        if span.label in targets:
            scores[span.start, span.end, span.label] = float(span.score)
    return scores


def _llm_cells(sentence: Sentence, targets: Collection[str]) -> set[SpanKey] | None:
    """Return the spans that the LLM finds, or None if it was not asked."""
    if LLM_SPANS not in sentence.row:
        return None
    return {span.key for span in _spans(sentence, LLM_SPANS) if span.label in targets}


def _spans(sentence: Sentence, key: str) -> tuple[Span, ...]:
    """Return the spans of a list beside "entities"; raise ValueError if it is malformed."""
    try:
        return read_spans(sentence.row[key], sentence.tokens)
    except (TypeError, ValueError) as error:
        raise ValueError(f'sentence {sentence.id}: "{key}" is not a list of spans: {error}') from None


def _agreed(found: Collection[SpanKey], llm: Collection[SpanKey]) -> dict[SpanKey, float]:
    return {cell: 1.0 if cell in found and cell in llm else UNKNOWN for cell in sorted({*found, *llm})}


def _fused(scores: Mapping[SpanKey, float], llm: Collection[SpanKey]) -> dict[SpanKey, float]:
    cells = {**dict.fromkeys(llm, LOWEST_SCORE / 2), **scores}  # cells without a score are below the lowest one
    return {cell: _moved(score, _log_odds(cell, llm)) for cell, score in sorted(cells.items())}


def _log_odds(cell: SpanKey, llm: Collection[SpanKey]) -> float:
    """Return what the LLM's spans add to the log-odds of a cell.

    An LLM often finds a span with other bounds than the dataset's (benchmarks/README.md). Such a span is evidence for
    the cells that it overlaps, in proportion to intersection over union.
    """
    overlap = max((_overlap(cell, span) for span in llm if span[2] == cell[2]), default=0.0)
    return NOT_FOUND_BY_LLM + overlap * (FOUND_BY_LLM - NOT_FOUND_BY_LLM)


def _overlap(one: SpanKey, other: SpanKey) -> float:
    """Return the tokens that two spans share, divided by those of either."""
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def _moved(probability: float, log_odds: float) -> float:
    """Return a probability whose log-odds are raised; 0 and 1 stay as they are."""
    odds = probability * math.exp(log_odds)
    return odds / (odds + 1 - probability)
