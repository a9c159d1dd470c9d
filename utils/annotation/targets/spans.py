"""The target spans that an LLM found in a sentence, and their scores against gold spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from utils.annotation.answers import place_items
from utils.annotation.rows import AnnotationRow
from utils.annotation.targets.bounds import longest_spans
from utils.annotation.voting import VotedItem
from utils.dataset.records import Sentence, Span, SpanKey
from utils.dataset.scores import Scores


def target_spans(row: AnnotationRow, *, nested: bool) -> tuple[Span, ...]:
    """Return the spans of a row of `--mode=target`, by position; each span with the same label once.

    An item is placed at all its occurrences. `nested=False` is for datasets whose gold spans do not overlap: of spans
    that overlap, only the longest one is returned.
    """
    spans: dict[SpanKey, Span] = {}
    for placed in place_items(row.items, row.text, "target").placed:
        label, score = placed.item.label, placed.item.score if isinstance(placed.item, VotedItem) else None
        spans.setdefault((placed.start, placed.end, label), Span(placed.start, placed.end, label, "llm", score))
    return tuple(spans[key] for key in sorted(spans)) if nested else longest_spans(list(spans.values()))


def score_rows(sentences: Sequence[Sentence], rows: Iterable[AnnotationRow], *, nested: bool) -> tuple[int, Scores]:
    """Return the number of gold sentences that an LLM was asked about, and the scores of the spans that it found.

    The rows are those of the sentences, in the same order.
    """
    asked = [(one, row) for one, row in zip(sentences, rows, strict=True) if row.status != "skipped"]
    correct = predicted = gold = 0
    for sentence, row in asked:
        found = {span.key for span in target_spans(row, nested=nested)}
        known = {span.key for span in sentence.gold_spans}
        correct, predicted, gold = correct + len(found & known), predicted + len(found), gold + len(known)
    return len(asked), Scores(correct, predicted, gold)
