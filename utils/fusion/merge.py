"""Merge what LLMs marked into sentences as extension spans, beside target spans that never change (s5, s6, s8)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.annotation.answers import place_items
from utils.annotation.voting import VotedItem
from utils.dataset.label_table import LabelTable
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence, Span, sentence_to_row
from utils.labels.normaliser import UNKNOWN, LabelNormaliser
from utils.parsing import Item

log = logging.getLogger(__name__)

EXAMPLES = 3  # sentences shown for an unknown label


@dataclass(frozen=True, slots=True)
class Name:
    """An extension label: whether a label file knows its spelling, and whether it had the name of a target."""

    label: str
    known: bool
    renamed: bool


@dataclass(frozen=True)
class Naming:
    """How the label of an item becomes the label of an extension span."""

    targets: Sequence[str]
    normalisers: Mapping[Mode, LabelNormaliser]
    prefix: str = ""

    def label(self, spelling: str, mode: Mode) -> Name:
        """Return what the extension span of a spelling is called."""
        canonical = self.normalisers[mode](spelling)
        plain = label = self.prefix + (canonical or UNKNOWN)
        while label in self.targets:
            label = f"EXT_{label}"
        return Name(label, known=canonical is not None, renamed=label != plain)


@dataclass
class FusionCounts:
    """What became of the items of one merge, and which labels it inserted."""

    sentences: int = 0
    unanswered: int = 0
    items: int = 0
    lost: int = 0  # not in their sentence
    unnamed: int = 0  # their label is known to no file
    crossing: int = 0  # extension spans that overlap a span of the sentence's own in part
    crossing_dropped: bool = False  # they were left out
    spans: Counter[str] = field(default_factory=Counter)  # extension label -> spans inserted
    unknown: dict[str, dict[str, Any]] = field(default_factory=dict)  # spelling -> count and examples
    unknown_modes: dict[str, Mode] = field(default_factory=dict)  # spelling -> where it was first met
    renamed: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return (
            f"merged {self.spans.total()} extension spans into {self.sentences} sentences: "
            f"{self.unanswered} sentences without an answer, {self.lost} of {self.items} items not in their sentence, "
            f"{self.unnamed} with a label that no file knows ({self.coverage:.1%} known), "
            f"{self.crossing} spans that cross a target span{' left out' * self.crossing_dropped}"
        )

    @property
    def coverage(self) -> float:
        """The share of items whose label a file knows."""
        return 1 - self.unnamed / self.items if self.items else 1.0

    @property
    def advice(self) -> str | None:
        """Say what to try where more than half of the sentences, items or labels were lost."""
        if 2 * self.unanswered > self.sentences:
            return "most sentences have no answer: run s1 (s3 for synthetic ones) to its end, then s4"
        if 2 * self.lost > self.items > 0:
            return "most items are not in their sentence: try another LLM, or --dense_lang"
        if 2 * self.unnamed > self.items > 0:
            return "most labels are unknown: add them to --entity_label and --pos_label"
        return None

    def unknown_by_count(self) -> dict[str, dict[str, Any]]:
        """Return the labels that no file knows, the commonest first, with their counts and examples."""
        return dict(sorted(self.unknown.items(), key=lambda pair: (-pair[1]["count"], pair[0])))

    def as_row(self) -> dict[str, Any]:
        """Return the counts as a manifest holds them."""
        names = ("sentences", "unanswered", "items", "lost", "unnamed", "crossing")
        return {name: getattr(self, name) for name in names} | {"spans": self.spans.total()}


def merged_rows(
    sentences: Iterable[Sentence],
    answers: Mapping[str, Mapping[Mode, Sequence[Item]]],
    naming: Naming,
    counts: FusionCounts,
    *,
    dense: bool,
) -> Iterator[dict[str, Any]]:
    """Yield each sentence's line with its extension spans behind its own; `counts` is complete behind the last.

    `answers` maps a sentence's id to what was marked in it, by mode.
    """
    for sentence in sentences:
        counts.sentences += 1
        found = answers.get(sentence.id, {})
        counts.unanswered += not found
        spans = _kept(_extension_spans(sentence, found, naming, counts, dense=dense), sentence.spans, counts)
        counts.spans.update(span.label for span in spans)
        yield sentence_to_row(Sentence(sentence.id, sentence.tokens, (*sentence.spans, *spans), sentence.row))
    for name in sorted(counts.renamed):
        log.warning("an extension label has the name of a target: it becomes %s", name)


def combine_tables(tables: Sequence[LabelTable], targets: Sequence[str]) -> LabelTable:
    """Return the union of label files: targets unchanged, the counts of extension labels added."""
    counts: Counter[str] = Counter()
    for table in tables:
        counts.update(table.extension_counts)
    return LabelTable.from_counts(targets, counts)


def _extension_spans(
    sentence: Sentence, found: Mapping[Mode, Sequence[Item]], naming: Naming, counts: FusionCounts, *, dense: bool
) -> list[Span]:
    """Return the extension spans of a sentence by (start, end, label), each once; counts what happens."""
    spans: dict[tuple[int, int, str], Span] = {}
    for mode, items in found.items():
        placement = place_items(items, sentence.tokens, mode)
        counts.items += len(items)
        counts.lost += len(placement.lost)
        names = {item: naming.label(item.label, mode) for item in items}
        for item in items:
            if not names[item].known:
                _note_unknown(item, counts)
                counts.unknown_modes.setdefault(item.label, mode)
        counts.renamed.update(name.label for name in names.values() if name.renamed)
        for placed in placement.placed:
            label = names[placed.item].label
            if not dense or sum(map(len, sentence.tokens[placed.start : placed.end])) > 1:
                score = placed.item.score if isinstance(placed.item, VotedItem) else None
                spans.setdefault((placed.start, placed.end, label), Span(placed.start, placed.end, label, mode, score))
    return [spans[key] for key in sorted(spans)]


def _kept(spans: list[Span], own: Sequence[Span], counts: FusionCounts) -> list[Span]:
    """Return the extension spans that stay, and count those that cross a span of the sentence's own."""
    crossing = {span for span in spans if any(_cross(span, other) for other in own)}
    counts.crossing += len(crossing)
    return [span for span in spans if span not in crossing] if counts.crossing_dropped else spans


def _cross(one: Span, other: Span) -> bool:
    """Tell whether two spans overlap, and neither holds the other."""
    first, second = sorted((one, other), key=lambda span: (span.start, -span.end))
    return first.start < second.start < first.end < second.end


def _note_unknown(item: Item, counts: FusionCounts) -> None:
    counts.unnamed += 1
    note = counts.unknown.setdefault(item.label, {"count": 0, "examples": []})
    note["count"] += 1
    if len(note["examples"]) < EXAMPLES and item.text not in note["examples"]:
        note["examples"].append(item.text)
