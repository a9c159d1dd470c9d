"""Where a span model marks other labels than those that the LLM was asked to write about (s7)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.files.jsonl import Row
from utils.parsing import Item
from utils.placing import place_entities

_ASKED = re.compile(r"(.+)\(([^()]+)\)", re.DOTALL)  # 邓超(PER.NAM)


@dataclass(frozen=True)
class Review:
    """Marked lines, and the mentions in them whose labels are to be looked at."""

    rows: Sequence[Row]
    mentions: Sequence[Row]
    dropped: int = 0  # lines

    @property
    def disagreeing(self) -> int:
        """How many mentions have another label than was asked for."""
        return sum(mention["predicted"] is not None for mention in self.mentions)

    @property
    def unmarked(self) -> int:
        """How many mentions have no label."""
        return len(self.mentions) - self.disagreeing

    @property
    def counts(self) -> dict[str, int]:
        """What a manifest holds of it."""
        return {"disagreeing": self.disagreeing, "unmarked": self.unmarked, "dropped": self.dropped}

    def without_disagreeing(self) -> Review:
        """Return it without the lines in which a mention has another label than was asked for."""
        wrong = {mention["id"] for mention in self.mentions if mention["predicted"] is not None}
        rows = [row for row in self.rows if row["id"] not in wrong]
        return Review(rows, self.mentions, len(self.rows) - len(rows))


def review(rows: Sequence[Row], labels: Collection[str]) -> Review:
    """Return marked lines with the mentions that the model labels otherwise, or not at all.

    Only `labels` are looked at: those that the model could give.
    """
    return Review(rows, [mention for row in rows for mention in _doubtful(row, labels)])


def _doubtful(row: Row, labels: Collection[str]) -> Iterable[Row]:
    for (start, end), asked in sorted(_asked_places(row, labels).items()):
        near = [span for span in row["entities"] if span["start"] < end and start < span["end"]]
        if any(span["entity"] in asked for span in near):
            continue
        best: Mapping[str, Any] = max(near, key=lambda span: span.get("score") or 0.0, default={})
        yield {
            "id": row["id"],
            "text": row["text"],
            "start": start,
            "end": end,
            "mention": row["text"][start:end],
            "asked": sorted(asked),
            "predicted": best.get("entity"),
            "score": best.get("score"),
        }


def _asked_places(row: Row, labels: Collection[str]) -> dict[tuple[int, int], set[str]]:
    """Return where the asked entities of a line stand in it, with the labels that they were asked with."""
    pairs = [found for one in row.get("asked", []) if (found := _ASKED.fullmatch(one)) and found[2] in labels]
    places: dict[tuple[int, int], set[str]] = defaultdict(set)
    for placed in place_entities([Item(pair[1], pair[2]) for pair in pairs], row["text"]).placed:
        places[placed.start, placed.end].add(placed.item.label)
    return places
