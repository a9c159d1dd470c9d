"""Merging the items of an LLM into a sentence, as extension spans after its own spans, which never change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from utils.annotation.answers import place_items
from utils.annotation.voting import VotedItem
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation
from utils.fusion.extension_labels import ExtensionLabel, LabelMapping
from utils.parsing import Item


@dataclass(frozen=True, slots=True)
class MergedSentence:
    """A sentence with its extension spans, and what became of the items in its answers."""

    sentence: Sentence  # with its own spans, then the extension spans
    extensions: Sequence[Span]
    found: Sequence[Span]  # all extension spans, with those that settings leave out
    answered: bool
    items: int
    lost: int  # items that are not in the sentence
    one_character: int  # items that are left out because dense text has no extension spans of one character
    disagreeing: int  # extension spans that are left out because of their label
    crossing: int  # extension spans that partly overlap a span of the sentence
    unknown: Sequence[tuple[Item, Mode]]  # items whose label is in no file of canonical labels
    renamed: frozenset[str]  # extension labels that were renamed because a target label has the same name


def merge_sentence(
    sentence: Sentence,
    items: Mapping[Mode, Sequence[Item]],
    mapping: LabelMapping,
    *,
    tokenisation: Tokenisation,
    drop_crossing: bool = False,
) -> MergedSentence:
    """Return a sentence with the items of its answers, by mode, as extension spans sorted by (start, end, label).

    Each span with the same label is kept once. Labels that the mapping leaves out give no spans. With `drop_crossing`,
    spans that partly overlap a span of the sentence are dropped.
    """
    pairs = [(item, mode) for mode, found in items.items() for item in found]
    labels = {(item.label, mode): mapping.extension_label(item.label, mode) for item, mode in pairs}
    found, lost, one_character = _extension_spans(sentence.tokens, items, labels, tokenisation=tokenisation)
    extensions = [span for span in found if (span.origin, span.label) not in mapping.left_out]
    disagreeing = len(found) - len(extensions)
    crossing = {span for span in extensions if any(_is_crossing(span, own) for own in sentence.spans)}
    if drop_crossing:
        extensions = [span for span in extensions if span not in crossing]
    return MergedSentence(
        sentence=replace(sentence, spans=(*sentence.spans, *extensions)),
        extensions=extensions,
        found=found,
        answered=bool(items),
        items=len(pairs),
        lost=lost,
        one_character=one_character,
        disagreeing=disagreeing,
        crossing=len(crossing),
        unknown=[(item, mode) for item, mode in pairs if not labels[item.label, mode].known],
        renamed=frozenset(label.name for label in labels.values() if label.renamed),
    )


def _extension_spans(
    tokens: Sequence[str],
    items: Mapping[Mode, Sequence[Item]],
    labels: Mapping[tuple[str, Mode], ExtensionLabel],
    *,
    tokenisation: Tokenisation,
) -> tuple[list[Span], int, int]:
    """Return the extension spans of a sentence, sorted, the number of items not in it, and that of items left out.

    Dense text has no extension spans of one character. An item with several positions is counted once.
    """
    spans: dict[tuple[int, int, str], Span] = {}
    lost = left_out = 0
    least = 2 if tokenisation.is_dense else 1  # characters
    for mode, found in items.items():
        answer = place_items(found, tokens, mode)
        lost += len(answer.lost)
        short = {one.item.text for one in answer.placed if _length(tokens, one.start, one.end) < least}
        left_out += _number_of(short, found) - _number_of(short, answer.lost)
        for placed in answer.placed:
            if _length(tokens, placed.start, placed.end) < least:
                continue
            label = labels[placed.item.label, mode].name
            score = placed.item.score if isinstance(placed.item, VotedItem) else None
            spans.setdefault((placed.start, placed.end, label), Span(placed.start, placed.end, label, mode, score))
    return [spans[key] for key in sorted(spans)], lost, left_out


def _length(tokens: Sequence[str], start: int, end: int) -> int:
    """Return the number of characters from one token to another."""
    return sum(map(len, tokens[start:end]))


def _number_of(texts: Collection[str], items: Sequence[Item]) -> int:
    """Return the number of items that have one of these texts."""
    return sum(item.text in texts for item in items)


def _is_crossing(one: Span, other: Span) -> bool:
    """Return whether two spans overlap and neither contains the other."""
    first, second = sorted((one, other), key=lambda span: (span.start, -span.end))
    return first.start < second.start < first.end < second.end
