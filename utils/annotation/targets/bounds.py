"""Where target spans can be: how long the gold spans are, and whether they contain punctuation marks and overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from utils.annotation.grammar import MAX_ENTITY_UNITS, EntityBounds
from utils.annotation.units import units_of
from utils.dataset.records import Sentence, Span, overlapping_pairs
from utils.dataset.tokens import Tokenisation

MAX_UNITS = 30  # of a target span; the grammar grows with the limit
MIN_ENTITIES = 8  # an answer may have this many, however few the gold sentences have
MIN_SHARE = 0.01  # of the gold spans; with fewer, unusual punctuation marks in them are taken for mistakes


def learn_bounds(sentences: Sequence[Sentence], tokenisation: Tokenisation) -> EntityBounds:
    """Return bounds that allow the gold spans of the sentences, and at least what those of extra entities allow."""
    usual = EntityBounds(MAX_ENTITY_UNITS[tokenisation])
    without_limit = EntityBounds(max_units=10**6)
    mentions = [
        units_of(sentence.tokens[span.start : span.end], tokenisation=tokenisation)
        for sentence in sentences
        for span in sentence.gold_spans
    ]
    unusual = sum(
        not (units and without_limit.can_be_first(units[0]) and len(units) in without_limit.ends(units, 0))
        for units in mentions
    )
    longest = max(map(len, mentions), default=0)
    most = max((len(sentence.spans) for sentence in sentences), default=0)
    return EntityBounds(
        max_units=min(MAX_UNITS, max(usual.max_units, longest)),
        any_symbols=unusual > MIN_SHARE * len(mentions),
        nested=has_overlaps(sentences),
        max_entities=max(MIN_ENTITIES, 2 * most),
    )


def has_overlaps(sentences: Iterable[Sentence]) -> bool:
    """Return whether two gold spans of a sentence overlap."""
    return any(any(overlapping_pairs(sentence.gold_spans)) for sentence in sentences)


def longest_spans(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return spans that do not overlap, by position: of two that overlap, the longer one; of equal ones, the first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start - one.end):  # stable: the first one of equal length
        if not any(span.overlaps(other) for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda one: one.start))
