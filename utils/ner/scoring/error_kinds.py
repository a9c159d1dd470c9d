"""Kinds of errors: each gold and each predicted span is counted in exactly one of them, also with nested spans.

The package nervaluate was tried. It pairs a prediction with the first gold span that overlaps. With nested spans, that
can be the exact match of another prediction, which is then lost. It also needs Python 3.11.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from utils.dataset.records import Span, SpanKey
from utils.wording import printable

ErrorKind = Literal["right", "label", "bounds", "both", "missed", "spurious"]
KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
NAMES: Mapping[ErrorKind, str] = {
    "right": "correct",
    "label": "wrong label",
    "bounds": "wrong boundaries",
    "both": "wrong label and boundaries",
    "missed": "missed",
    "spurious": "spurious",
}
SHOWN = 5  # confusions in the text; the JSON file has all


@dataclass(frozen=True, slots=True)
class Errors:
    """The numbers of pairs of a gold and a predicted span of each kind, and of spans without a partner.

    right + label + bounds + both + missed is the number of gold spans; with spurious instead of missed, it is that of
    predicted spans.
    """

    counts: Mapping[ErrorKind, int]
    confusions: Mapping[tuple[str, str], int]  # (gold label, predicted label) with right bounds: times, descending

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for a JSON file."""
        confusions = [{"gold": g, "predicted": p, "count": n} for (g, p), n in self.confusions.items()]
        return {**{str(kind): self.counts[kind] for kind in KINDS}, "confusions": confusions}

    def to_text(self) -> str:
        """Return the counts as one line, and the most frequent confusions of labels as a second."""
        lines = [", ".join(f"{NAMES[kind]} {self.counts[kind]}" for kind in KINDS)]
        pairs = [printable(f"{gold} as {label} ({times})") for (gold, label), times in self.confusions.items()]
        if pairs:
            lines.append("confused labels: " + ", ".join(pairs[:SHOWN]) + (", …" if pairs[SHOWN:] else ""))
        return "\n".join(lines)


def count_errors(
    gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]], labels: Collection[str]
) -> Errors:
    """Return the errors of predictions for the same sentences, for spans with one of `labels`."""
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
    """Yield (kind, gold span, predicted span) for the spans of a sentence, with None for a missing partner.

    Pairs are made in this order: equal spans; equal bounds; equal labels and shared words; shared words. Among several
    possible pairs of one kind, that with the largest share of common words is first, then the first by position.
    Gold (0, 4, PER), (3, 9, PER) and predicted (3, 8, PER) give ("bounds", (3, 9, PER), (3, 8, PER)), which share 5 of
    6 words, and ("missed", (0, 4, PER), None).
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
    """Return (start, end, label) of the spans with one of `labels`."""
    return {span.key for span in spans if span.label in labels}


def _share(one: SpanKey, other: SpanKey) -> int:
    """Return the number of words that two spans share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _distance(one: SpanKey, other: SpanKey) -> tuple[int, float]:
    """Return (index of the kind, minus the shared words divided by all words of both): smaller is closer."""
    rank: ErrorKind = "label" if one[:2] == other[:2] else "bounds" if one[2] == other[2] else "both"
    shared = _share(one, other)
    return KINDS.index(rank), -shared / (one[1] - one[0] + other[1] - other[0] - shared)
