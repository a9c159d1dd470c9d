"""Kinds of errors: every gold and every predicted span has its part in exactly one, also where spans nest.

nervaluate counts such kinds too, but pairs a prediction with the first gold span that it overlaps, so that nested spans
take each other's partners and exact ones are lost; and it needs Python 3.11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from utils.dataset.records import Span

ErrorKind = Literal["right", "label", "bounds", "both", "missed", "spurious"]
SpanKey = tuple[int, int, str]  # start, end, label
KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
NAMES: Mapping[ErrorKind, str] = {
    "right": "right",
    "label": "wrong label",
    "bounds": "wrong bounds",
    "both": "both wrong",
    "missed": "missed",
    "spurious": "spurious",
}
SHOWN = 5  # pairs of labels that are taken for each other


@dataclass(frozen=True, slots=True)
class Errors:
    """How many pairs of a gold and a predicted span are of each kind, and spans that have no partner.

    right + label + bounds + both + missed are the gold spans; with spurious for missed, the predicted ones.
    """

    counts: Mapping[ErrorKind, int]
    confusions: Mapping[tuple[str, str], int]  # (gold label, predicted label) of right bounds -> times, most first

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for a JSON file."""
        confusions = [{"gold": g, "predicted": p, "count": n} for (g, p), n in self.confusions.items()]
        return {**{str(kind): self.counts[kind] for kind in KINDS}, "confusions": confusions}

    def to_text(self) -> str:
        """Return the counts as one line, and the labels that are most often taken for others as a second."""
        lines = [", ".join(f"{NAMES[kind]} {self.counts[kind]}" for kind in KINDS)]
        pairs = [f"{gold} as {label} ({times})" for (gold, label), times in self.confusions.items()]
        if pairs:
            lines.append("labels taken for others: " + ", ".join(pairs[:SHOWN]) + (", …" if pairs[SHOWN:] else ""))
        return "\n".join(lines)


def count_errors(
    gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]], labels: Collection[str]
) -> Errors:
    """Return the kinds of errors, sentence by sentence; spans of labels not among `labels` are left out."""
    counts: Counter[ErrorKind] = Counter()
    confusions: Counter[tuple[str, str]] = Counter()
    for wanted, guessed in zip(gold, predicted, strict=True):
        for kind, true, found in pair_spans(span_keys(wanted, labels), span_keys(guessed, labels)):
            counts[kind] += 1
            if kind == "label" and true and found:
                confusions[true[2], found[2]] += 1
    ordered = sorted(confusions.items(), key=lambda item: (-item[1], item[0]))
    return Errors({kind: counts[kind] for kind in KINDS}, dict(ordered))


def pair_spans(
    gold: Collection[SpanKey], found: Collection[SpanKey]
) -> Iterator[tuple[ErrorKind, SpanKey | None, SpanKey | None]]:
    """Yield (kind, gold span, predicted span) for the spans of a sentence; None where a span has no partner.

    Equal spans are paired first, then those of equal bounds, then those of equal labels that share words, then any
    that share words; of several the pair that shares the largest part of its words, then the first by position.
    """
    right = set(gold) & set(found)
    yield from (("right", key, key) for key in sorted(right))
    missed, spurious = set(gold) - right, set(found) - right
    near = [(_distance(true, guess), true, guess) for true in missed for guess in spurious if _share(true, guess)]
    for (rank, _), true, guess in sorted(near):
        if true in missed and guess in spurious:
            missed.remove(true)
            spurious.remove(guess)
            yield KINDS[rank], true, guess
    yield from (("missed", key, None) for key in sorted(missed))
    yield from (("spurious", None, key) for key in sorted(spurious))


def span_keys(spans: Iterable[Span], labels: Collection[str]) -> set[SpanKey]:
    """Return what a span counts by, of those with one of the labels."""
    return {(span.start, span.end, span.label) for span in spans if span.label in labels}


def _share(one: SpanKey, other: SpanKey) -> int:
    """Return how many words two spans share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _distance(one: SpanKey, other: SpanKey) -> tuple[int, float]:
    """Return (rank of the kind, minus the shared part of all words of both)."""
    rank: ErrorKind = "label" if one[:2] == other[:2] else "bounds" if one[2] == other[2] else "both"
    shared = _share(one, other)
    return KINDS.index(rank), -shared / (one[1] - one[0] + other[1] - other[0] - shared)
