"""The items in the LLM's answers to one sentence, and their positions in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.annotation.rows import AnnotationRow, Status
from utils.annotation.voting import VotedItem, Voting
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.labels.targets import TargetLabels
from utils.parsing import Item, read_answer
from utils.placing import PlacedAnswer, place_entities, place_words


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
