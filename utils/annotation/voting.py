"""Several answers to one question: what enough of them mark, and how many they are (s1, s3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.parsing import Item
from utils.placing import PlacedItem


@dataclass(frozen=True, slots=True)
class VotedItem(Item):
    """An item that several answers mark: where it stands, and the share of the answers that mark it."""

    start: int
    end: int
    score: float

    @property
    def placed(self) -> PlacedItem:
        return PlacedItem(self.start, self.end, self)


@dataclass(frozen=True)
class Election:
    """The spans that enough answers mark, by their place, and how many spans too few mark."""

    items: list[VotedItem]
    outvoted: int


@dataclass(frozen=True)
class Voting:
    """How the answers to one question vote.

    An answer votes for every span that it marks, whatever it calls it. A span keeps the labels that `min_votes` answers
    give it or, where they are at odds, the commonest; spellings of one canonical label are one label.
    """

    answers: int  # asked for
    min_votes: int
    canonical: Callable[[str], str | None]

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what a result's manifest holds; no answer depends on it."""
        return {"votes": self.answers, "min_votes": self.min_votes}

    def elect(self, marked: Sequence[Sequence[PlacedItem]]) -> Election:
        """Return what is left of the spans that each answer marks."""
        ballots: dict[tuple[int, int], list[dict[str, Item]]] = defaultdict(list)
        for placed in marked:
            for span, labels in self._ballot(placed).items():
                ballots[span].append(labels)
        elected = {span: votes for span, votes in ballots.items() if len(votes) >= self.min_votes}
        items = [item for span in sorted(elected) for item in self._items(span, elected[span])]
        return Election(items, len(ballots) - len(elected))

    def _ballot(self, placed: Sequence[PlacedItem]) -> dict[tuple[int, int], dict[str, Item]]:
        """Return the spans of one answer, each with its labels and the first item that gives it one."""
        spans: dict[tuple[int, int], dict[str, Item]] = defaultdict(dict)
        for one in placed:
            label = self.canonical(one.item.label) or one.item.label.casefold()
            spans[one.start, one.end].setdefault(label, one.item)
        return spans

    def _items(self, span: tuple[int, int], votes: Sequence[dict[str, Item]]) -> list[VotedItem]:
        counts = Counter(label for labels in votes for label in labels)
        kept = [label for label, number in counts.items() if number >= self.min_votes]
        score = round(len(votes) / self.answers, 4)
        items = [next(labels[label] for labels in votes if label in labels) for label in kept or [_commonest(counts)]]
        return [VotedItem(item.text, item.label, *span, score) for item in items]


def _commonest(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0]
