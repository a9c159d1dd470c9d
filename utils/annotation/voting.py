"""Voting: keeps the spans that enough of the answers to one question contain (s1, s3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.parsing import Item
from utils.placing import PlacedItem


@dataclass(frozen=True, slots=True)
class VotedItem(Item):
    """An item that several answers agree on, with its position and the share of the answers that contain it."""

    start: int
    end: int
    score: float

    @property
    def placed(self) -> PlacedItem:
        return PlacedItem(self.start, self.end, self)


@dataclass(frozen=True)
class VoteResult:
    """The items with enough votes, by position, and the number of spans with too few votes."""

    items: list[VotedItem]
    outvoted: int


@dataclass(frozen=True)
class Voting:
    """The rules of a vote among the answers to one question.

    An answer votes for each of its spans, whatever label it gives them. A span keeps the labels that have
    `min_votes` votes or, if no label has as many, the most frequent one. Spellings of one canonical label count as one
    label.
    """

    num_answers: int  # requested for each question
    min_votes: int
    canonical: Callable[[str], str | None]

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings for the manifest of a result. The answers do not depend on them."""
        return {"votes": self.num_answers, "min_votes": self.min_votes}

    def count(self, answers: Sequence[Sequence[PlacedItem]]) -> VoteResult:
        """Return the spans that have enough votes; `answers` contains the placed items of each answer."""
        votes: dict[tuple[int, int], list[dict[str, Item]]] = defaultdict(list)
        for placed in answers:
            for span, labels in self._labels_by_span(placed).items():
                votes[span].append(labels)
        kept = {span: labels for span, labels in votes.items() if len(labels) >= self.min_votes}
        items = [item for span in sorted(kept) for item in self._items(span, kept[span])]
        return VoteResult(items, len(votes) - len(kept))

    def _labels_by_span(self, placed: Sequence[PlacedItem]) -> dict[tuple[int, int], dict[str, Item]]:
        """Return the spans of one answer, each with its labels and the first item of each label."""
        spans: dict[tuple[int, int], dict[str, Item]] = defaultdict(dict)
        for one in placed:
            label = self.canonical(one.item.label) or one.item.label.casefold()
            spans[one.start, one.end].setdefault(label, one.item)
        return spans

    def _items(self, span: tuple[int, int], votes: Sequence[dict[str, Item]]) -> list[VotedItem]:
        """Return an item for each label that a span keeps; `votes` contains the labels that each answer gives to it."""
        counts = Counter(label for labels in votes for label in labels)
        kept = [label for label, number in counts.items() if number >= self.min_votes]
        kept = kept or [counts.most_common(1)[0][0]]
        score = round(len(votes) / self.num_answers, 4)
        items = [next(labels[label] for labels in votes if label in labels) for label in kept]
        return [VotedItem(item.text, item.label, *span, score) for item in items]
