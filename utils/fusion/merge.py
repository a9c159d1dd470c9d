"""Merging the items of an LLM into a sentence, as extension spans after its own spans, which never change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from utils.annotation.answers import place_items
from utils.annotation.voting import VotedItem
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence, Span, SpanKey
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
    spellings = dict.fromkeys((item.label, mode) for item, mode in pairs)
    labels = {key: mapping.extension_label(*key) for key in spellings}
    found, lost, one_character = _extension_spans(sentence.tokens, items, labels, tokenisation=tokenisation)
    extensions = [span for span in found if (span.origin, span.label) not in mapping.left_out]
    disagreeing = len(found) - len(extensions)
    crossing = _crossing(extensions, sentence.spans)
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
    spans: dict[SpanKey, Span] = {}
    lost = left_out = 0
    least = 2 if tokenisation.is_dense else 1  # characters
    for mode, found in items.items():
        answer = place_items(found, tokens, mode)
        lost += len(answer.lost)
        short = set()  # texts
        for start, end, item in answer.placed:
            if not _is_at_least(least, tokens, start, end):
                short.add(item.text)
                continue
            key = start, end, labels[item.label, mode].name
            if key not in spans:
                spans[key] = Span(*key, mode, item.score if isinstance(item, VotedItem) else None)
        if short:
            left_out += _number_of(short, found) - _number_of(short, answer.lost)
    return [spans[key] for key in sorted(spans)], lost, left_out


def _is_at_least(characters: int, tokens: Sequence[str], start: int, end: int) -> bool:
    """Return whether a placed item has this many characters; its first and its last token have at least one each."""
    if characters <= end - start and end <= len(tokens):
        return True
    return sum(map(len, tokens[start:end])) >= characters


def _number_of(texts: Collection[str], items: Sequence[Item]) -> int:
    """Return the number of items that have one of these texts."""
    return sum(item.text in texts for item in items)


def _crossing(extensions: Iterable[Span], own: Sequence[Span]) -> set[Span]:
    """Return the extension spans that cross a span of the sentence."""
    return {span for span in extensions if any(span.crosses(one) for one in own)} if own else set()
