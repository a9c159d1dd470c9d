"""The counts of a merge: sentences, items, extension spans and unknown labels."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.dataset.modes import Mode
from utils.fusion.answer_measure import AnswerMeasure
from utils.fusion.corrections import Patch
from utils.fusion.gold_agreement import GoldAgreement
from utils.fusion.merge import MergedSentence
from utils.fusion.patch import PatchCounts, PatchedSentence
from utils.parsing import Item
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

MAX_NAMED = 20  # corrections that no longer fit, each in a line
MAX_EXAMPLES = 3  # texts that are shown for an unknown label
SUMMED = ("sentences", "unanswered", "items", "lost", "one_character", "disagreeing", "crossing")


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """A label that no file of canonical labels contains, and how often answers used it."""

    mode: Mode  # of its first item
    count: int = 0
    examples: tuple[str, ...] = ()  # the first texts with this label

    def with_item(self, item: Item) -> UnknownLabel:
        """Return the label after one more item."""
        return self.with_label(UnknownLabel(self.mode, 1, (item.text,)))

    def with_label(self, other: UnknownLabel) -> UnknownLabel:
        """Return the label after the items of `other`, which follow."""
        examples = tuple(dict.fromkeys([*self.examples, *other.examples]))[:MAX_EXAMPLES]
        return UnknownLabel(self.mode, self.count + other.count, examples)


@dataclass
class FusionCounts:
    """The counts of the sentences that were added so far."""

    sentences: int = 0
    unanswered: int = 0  # sentences without an answer
    items: int = 0
    lost: int = 0  # items that are not in their sentence
    one_character: int = 0  # items of one character, which are left out of dense text
    disagreeing: int = 0  # extension spans whose labels do not agree enough with gold spans
    crossing: int = 0  # extension spans that partly overlap a span of their sentence
    spans: Counter[str] = field(default_factory=Counter)  # extension label -> inserted spans
    unknown: dict[str, UnknownLabel] = field(default_factory=dict)  # by spelling, in the order of the first items
    renamed: set[str] = field(default_factory=set)  # extension labels with the name of a target
    agreement: GoldAgreement = field(default_factory=GoldAgreement)
    answers: AnswerMeasure = field(default_factory=AnswerMeasure)  # of the original sentences
    drops_crossing: bool = False  # a setting of the merge, for the text of the counts
    patch: PatchCounts | None = None  # None without --patch

    def add(self, merged: MergedSentence, patched: PatchedSentence | None = None) -> None:
        """Add one sentence to the counts: what was found in its answers, and what is left after its corrections."""
        self.sentences += 1
        self.unanswered += not merged.answered
        self.items += merged.items
        self.lost += merged.lost
        self.one_character += merged.one_character
        self.disagreeing += merged.disagreeing
        self.crossing += merged.crossing
        result = merged if patched is None else patched.merged
        self.spans.update(span.label for span in (result.extensions if result is not None else ()))
        if patched is not None and self.patch is not None:
            self.patch.add(patched)
        self.renamed |= merged.renamed
        self.agreement.add(merged)
        for item, mode in merged.unknown:
            self.unknown[item.label] = self.unknown.get(item.label, UnknownLabel(mode)).with_item(item)

    def add_counts(self, other: FusionCounts) -> None:
        """Add the counts of the sentences that follow."""
        for name in SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.spans.update(other.spans)
        self.renamed |= other.renamed
        self.agreement.add_agreement(other.agreement)
        if self.patch is not None and other.patch is not None:
            self.patch.add_counts(other.patch)
        for spelling, label in other.unknown.items():
            known = self.unknown.get(spelling, UnknownLabel(label.mode))
            self.unknown[spelling] = known.with_label(label)

    def __str__(self) -> str:
        one_character = f"{self.one_character} of one character left out, " if self.one_character else ""
        spans = counted(self.disagreeing, "span")
        disagreeing = f"{spans} of labels below --min_agreement left out, " if self.disagreeing else ""
        unanswered, items = counted(self.unanswered, "sentence"), counted(self.items, "item")
        crossing = f"{counted(self.crossing, 'span')} that {agreeing(self.crossing, 'crosses', 'cross')} a target span"
        return (
            f"merged {counted(self.spans.total(), 'extension span')} into {counted(self.sentences, 'sentence')}: "
            f"{unanswered} without an answer, {self.lost} of {items} not in {agreeing(self.items, 'its', 'their')} "
            f"sentence, {one_character}{disagreeing}{self.unnamed} with an unknown label ({self.coverage:.1%} known), "
            f"{crossing}{', dropped' * self.drops_crossing}{f'; {self.patch}' if self.patch else ''}"
        )

    @property
    def unnamed(self) -> int:
        """The number of items with an unknown label."""
        return sum(label.count for label in self.unknown.values())

    @property
    def coverage(self) -> float:
        """The share of items with a known label."""
        return 1 - self.unnamed / self.items if self.items else 1.0

    @property
    def labels_of_patch_alone(self) -> set[str]:
        """The extension labels that no LLM gave, and that are in the corrections."""
        return (
            {label for label, number in self.patch.labels.items() if self.spans[label] == number}
            if self.patch
            else set()
        )

    @property
    def advice(self) -> str | None:
        """What to try if more than half of the sentences, items or labels were lost; None otherwise."""
        if 2 * self.unanswered > self.sentences:
            return "most sentences have no answer: run s1 (s3 for synthetic ones) to its end, then s4"
        if 2 * self.lost > self.items > 0:
            return "most items are not in their sentence: try another LLM, or set --dense_lang to 0 or 1"
        if 2 * self.one_character > self.items > 0:
            return "most items have one character: try another LLM, or --dense_lang=0 if the tokens are words"
        if 2 * self.unnamed > self.items > 0:
            return "most labels are unknown: add them to --entity_label and --pos_label"
        return None

    @property
    def unknown_by_count(self) -> dict[str, UnknownLabel]:
        """The unknown labels by spelling, the most frequent first."""
        return dict(sorted(self.unknown.items(), key=lambda pair: (-pair[1].count, pair[0])))

    @property
    def unknown_modes(self) -> dict[str, Mode]:
        """The modes of the unknown labels by spelling, the most frequent first."""
        return {spelling: label.mode for spelling, label in self.unknown_by_count.items()}

    def unknown_to_json(self) -> dict[str, dict[str, Any]]:
        """Return the content of the file of unknown labels."""
        return {
            spelling: {"count": label.count, "examples": list(label.examples)}
            for spelling, label in self.unknown_by_count.items()
        }

    def as_row(self) -> dict[str, Any]:
        """Return the counts for a manifest."""
        names = ("sentences", "unanswered", "items", "lost", "one_character", "unnamed", "crossing")
        row = {name: getattr(self, name) for name in names} | {"spans": self.spans.total()}
        row |= {"disagreeing": self.disagreeing} if self.disagreeing else {}
        return row | ({"patch": self.patch.as_row()} if self.patch else {})


def warn_about_patch(patch: Patch | None, counts: Sequence[FusionCounts]) -> None:
    """Name the corrections that no longer fit, each once, and the labels that only a patch uses."""
    if patch is None:
        return
    found = [one for one in counts if one.patch is not None]
    misfits = {misfit.correction.line: misfit for one in found if one.patch for misfit in one.patch.misfits}
    for line in sorted(misfits)[:MAX_NAMED]:
        misfit = misfits[line]
        log.warning("%s:%d: sentence %s: %s", patch.path, line, misfit.correction.id, misfit.reason)
    if len(misfits) > MAX_NAMED:
        log.warning("%s: %d more corrections no longer fit", patch.path, len(misfits) - MAX_NAMED)
    for label in sorted({label for one in found for label in one.labels_of_patch_alone}):
        log.warning(
            "%s: only corrections use the label %s: it becomes an extension label, which models do not predict; target "
            "labels are in labels.txt",
            patch.path,
            label,
        )
