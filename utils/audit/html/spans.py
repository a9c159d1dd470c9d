"""Spans as the report and notebooks draw them: their kind, and the rows of bars below the tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import Span

GOLD = "gold"  # shown in the place of no origin


def is_target(span: Span, targets: Collection[str]) -> bool:
    """Return whether a span has a target label, and is not from an extension label of the same name."""
    return span.label in targets and span.origin not in EXTENSION_MODES


def origin_of(span: Span) -> str:
    """Return where a span is from: gold, ner, entity, pos, patch, or what a file from elsewhere says."""
    return GOLD if span.origin is None else str(span.origin)


def lanes_of(spans: Sequence[Span]) -> list[int]:
    """Return the row of each span below the text, such that overlapping spans are in different rows.

    Longer spans are drawn first, so a nested span is below the one that contains it:

        >>> lanes_of([Span(0, 1, "A"), Span(0, 3, "B"), Span(1, 2, "C"), Span(2, 4, "D")])
        [1, 0, 1, 1]
    """
    lanes = [0] * len(spans)
    taken: list[set[int]] = []  # tokens by row
    for number in sorted(range(len(spans)), key=lambda one: (spans[one].start - spans[one].end, spans[one].start)):
        tokens = set(range(spans[number].start, spans[number].end))
        lane = next((lane for lane, own in enumerate(taken) if not own & tokens), len(taken))
        if lane == len(taken):
            taken.append(set())
        taken[lane] |= tokens
        lanes[number] = lane
    return lanes
