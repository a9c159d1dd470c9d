"""What a format can hold of the spans and rows of sentences; what it cannot is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from utils.dataset.formats.losses import Losses
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import JsonObject

INSIDE, CROSSING, SAME = (
    "inside another span: dropped, because the format cannot hold it",
    "crosses another span: dropped, because the format cannot hold both",
    "at the same place as another span: dropped, because the format cannot hold both",
)

OVERLAPPING = (INSIDE, CROSSING, SAME)


def flat_spans(sentence: Sentence, losses: Losses) -> list[Span]:
    """Return the spans without those that overlap a longer one, or an earlier one of the same length; count the others.

    Longer spans are chosen first, so that of nested spans the outer one is kept.
    """
    kept: list[Span] = []
    for span in sorted(sentence.spans, key=lambda one: (one.start - one.end, one.start)):
        other = next((one for one in kept if one.overlaps(span)), None)
        if other is None:
            kept.append(span)
        else:
            losses.add("span", _reason(span, other), example=_shown(sentence, span))
    return sorted(kept, key=lambda one: one.start)


def count_details(sentences: Iterable[Sentence], losses: Losses, *, keys: Sequence[str] = ("origin", "score")) -> None:
    """Count the origins and scores of spans that a format cannot hold; `keys` are those that it cannot."""
    for sentence in sentences:
        for span in sentence.spans:
            for key in keys:
                if getattr(span, key) is not None:
                    losses.add(key, "left out, because the format cannot hold it", example=_shown(sentence, span))


def details(span: Span) -> JsonObject:
    """Return the origin and the score of a span, if it has them, for a format that can hold them."""
    return {key: value for key, value in (("origin", span.origin), ("score", span.score)) if value is not None}


def count_rows(sentences: Iterable[Sentence], losses: Losses) -> None:
    """Count the further keys of sentences, such as "id" and "source", for a format that cannot hold them."""
    for sentence in sentences:
        if more := [key for key in sentence.row if key not in ("text", "entities")]:
            losses.add(
                "sentence", "its further keys are left out", example=f"sentence {sentence.id}: {', '.join(more)}"
            )


def _reason(span: Span, other: Span) -> str:
    if (span.start, span.end) == (other.start, other.end):
        return SAME
    return INSIDE if other.contains(span) else CROSSING


def _shown(sentence: Sentence, span: Span) -> str:
    mention = " ".join(sentence.tokens[span.start : span.end])
    return f"sentence {sentence.id}: {span.label} {span.start}-{span.end} {mention!r}"
