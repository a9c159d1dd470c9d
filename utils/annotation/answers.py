"""The items in the LLM's answers to a sentence, their positions in it, and their counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from utils.annotation.rows import AnnotationRow, Status
from utils.annotation.voting import VotedItem, Voting
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.dataset.scores import Scores
from utils.labels.targets import TargetLabels
from utils.parsing import Item, read_answer
from utils.placing import PlacedAnswer, place_entities, place_words
from utils.wording import agreeing, counted


@dataclass(frozen=True)
class Annotation:
    """The items that the answers to one sentence contain, and how many were lost."""

    answers: Sequence[str]
    readable: bool  # at least one answer could be read
    items: Sequence[Item]  # with votes, those that have enough
    num_items: int  # in all answers
    lost: int  # of these, items that are not in the sentence
    unknown: int = 0  # items without a target label, which are left out; for target labels only
    outvoted: int = 0  # spans with too few votes

    def row_of(self, sentence: Sentence, mode: Mode, *, asked: bool = True) -> AnnotationRow:
        """Return the line of s1 or s3. Without an answer, its status is "skipped" if it was to be `asked` about."""
        status: Status = "ok" if self.readable else "unreadable"
        if not self.answers:
            status = "skipped" if asked else "ok"
        return AnnotationRow(sentence.id, sentence.tokens, mode, self.items, self.answers, status)


@dataclass(frozen=True, slots=True)
class AnnotationCounts:
    """How many sentences and items a step has, and how many were lost."""

    sentences: int
    skipped: int
    unreadable: int  # sentences without a readable answer
    items: int
    lost: int  # items that are not in their sentence
    outvoted: int | None = None  # spans with too few votes; None without votes
    unknown: int | None = None  # items without a target label; None in other modes
    scored: int | None = None  # gold sentences that the LLM was asked about; None in other modes and without gold
    scores: Scores | None = None  # of the target spans on these sentences
    beyond_limit: int = 0  # of the skipped sentences, those after the `limit` of this run
    used: str = ""  # what the answers of this run took, in words

    def __str__(self) -> str:
        by_skip = self.skipped - self.beyond_limit
        skipped = f"{by_skip} skipped, " if by_skip else ""
        skipped += f"{self.beyond_limit} not asked (--limit), " if self.beyond_limit else ""
        outvoted = "" if self.outvoted is None else f", {counted(self.outvoted, 'span')} outvoted"
        unknown = "" if self.unknown is None else f", {self.unknown} without a target label"
        unreadable, items = counted(self.unreadable, "answer"), counted(self.items, "item")
        whose = agreeing(self.items, "its", "their")
        return (
            f"annotated {counted(self.sentences, 'sentence')}: {skipped}{unreadable} unreadable, "
            f"{self.lost} of {items} not in {whose} sentence{unknown}{outvoted}{self._agreement}{self.used}"
        )

    def __add__(self, other: AnnotationCounts) -> AnnotationCounts:
        """Return the counts of both; both are of the same mode and have no `used`."""
        pairs = {field.name: (getattr(self, field.name), getattr(other, field.name)) for field in fields(self)}
        sums: dict[str, Any] = {name: None if one is None else one + more for name, (one, more) in pairs.items()}
        return AnnotationCounts(**sums)

    @property
    def _agreement(self) -> str:
        """How well the LLM annotates the target labels, in words; "" where it is not known."""
        if self.scores is None or not self.scored:
            return ""
        return f"; as an annotator of the target labels: {self.scores} on {counted(self.scored, 'gold sentence')}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts for a manifest, without those of this run alone."""
        row = {name: number for name, number in asdict(self).items() if number is not None}
        del row["beyond_limit"], row["used"]
        return row

    @property
    def advice(self) -> str | None:
        """What to try if more than half of the answers, or of the items, were lost; None otherwise."""
        if 2 * self.unreadable > self.sentences - self.skipped:
            return "most answers are unreadable: try a larger model, or one that supports --guided"
        if 2 * (self.unknown or 0) > self.items > 0:
            return "most items do not have a target label: try a larger model, or one that supports --guided"
        if 2 * self.lost > self.items > 0:
            return "most items are not in their sentence: try a larger model, or one that supports --guided"
        return None


def read_answers(
    answers: Sequence[str],
    sentence: Sentence,
    mode: Mode,
    voting: Voting | None,
    targets: TargetLabels | None = None,
) -> Annotation:
    """Return the items in the answers to a sentence; with `voting`, those that enough answers agree on.

    With `targets`, only items with one of these labels are returned, and their labels are written as in the dataset.
    """
    text = " ".join(sentence.tokens)
    readings = [read_answer(answer, mode, text) for answer in answers]
    found = [reading if targets is None else _with_target_labels(reading or [], targets) for reading in readings]
    placed_answers = [place_items(items or [], sentence.tokens, mode) for items in found]
    items = [item for reading in found for item in reading or []]
    num_items = sum(len(reading or []) for reading in readings)
    votes = voting.count([answer.placed for answer in placed_answers]) if voting else None
    return Annotation(
        answers=answers,
        readable=any(reading is not None for reading in readings),
        items=votes.items if votes else items,
        num_items=num_items,
        lost=sum(len(answer.lost) for answer in placed_answers),
        unknown=num_items - len(items),
        outvoted=votes.outvoted if votes else 0,
    )


def _with_target_labels(items: Sequence[Item], targets: TargetLabels) -> list[Item]:
    """Return the items that have a target label, with that label as the dataset writes it."""
    labelled = [(item, targets.canonical(item.label)) for item in items]
    return [Item(item.text, label) for item, label in labelled if label is not None]


def place_items(items: Sequence[Item], tokens: Sequence[str], mode: Mode) -> PlacedAnswer:
    """Return the positions of items in their sentence. Items chosen by vote keep the position that they have."""
    voted = [item for item in items if isinstance(item, VotedItem)]
    others = [item for item in items if not isinstance(item, VotedItem)]
    found = (place_words if mode == "pos" else place_entities)(others, tokens)
    return PlacedAnswer([*(item.placed for item in voted), *found.placed], found.lost)
