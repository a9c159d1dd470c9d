"""Mentions that a span model labels differently from what the LLM was asked to write about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.files.jsonl import JsonObject
from utils.parsing import Item
from utils.placing import place_entities
from utils.wording import agreeing, counted

_ASKED = re.compile(r"(.+)\(([^()]+)\)", re.DOTALL)  # mention(label), such as 邓超(PER.NAM)


@dataclass(frozen=True)
class Review:
    """Labelled rows, and the mentions in them that a person should look at."""

    rows: Sequence[JsonObject]
    mentions: Sequence[JsonObject]  # with another label than s2 asked for, or with none
    dropped: int = 0  # rows

    def __str__(self) -> str:
        dropped = f" ({self.dropped} dropped)" if self.dropped else ""
        sentences = counted(len(self.rows), "synthetic sentence")
        have = agreeing(self.disagreeing, "has", "have")
        return (
            f"labelled {counted(self.spans, 'target span')} in {sentences}{dropped}; of the entities in "
            f"s2's questions, {self.disagreeing} {have} a different label and {self.unlabelled} "
            f"{agreeing(self.unlabelled, 'has', 'have')} none"
        )

    @property
    def advice(self) -> str | None:
        """Return what to try if the model found no span in the rows."""
        return (
            "the model found no target spans: train it longer, or on more data"
            if self.rows and not self.spans
            else None
        )

    @property
    def spans(self) -> int:
        """The number of spans in the rows."""
        return sum(len(row["entities"]) for row in self.rows)

    @property
    def disagreeing(self) -> int:
        """The number of mentions with another label than s2 asked for."""
        return sum(mention["predicted"] is not None for mention in self.mentions)

    @property
    def unlabelled(self) -> int:
        """The number of mentions without a label."""
        return len(self.mentions) - self.disagreeing

    @property
    def counts(self) -> dict[str, int]:
        """The counts for the manifest."""
        return {
            "sentences": len(self.rows),
            "spans": self.spans,
            "disagreeing": self.disagreeing,
            "unmarked": self.unlabelled,
            "dropped": self.dropped,
        }

    def without_disagreeing(self) -> Review:
        """Return the review without the rows in which a mention has another label than s2 asked for."""
        wrong = {mention["id"] for mention in self.mentions if mention["predicted"] is not None}
        rows = [row for row in self.rows if row["id"] not in wrong]
        return Review(rows, self.mentions, len(self.rows) - len(rows))


def review(rows: Sequence[JsonObject], labels: Collection[str]) -> Review:
    """Return labelled rows with the mentions for which the model and s2 disagree.

    Only entities with one of `labels`, those that the model predicts, are compared. For a row with

        text      Agnes Muir saw Rome .        asked  ["Agnes Muir(PER)", "Rome(LOC)"]
        entities  (0, 2) ORG

    "Agnes Muir" is disagreeing (asked PER, predicted ORG), and "Rome" is unlabelled (asked LOC, predicted None). A
    span agrees if it overlaps with the mention and has a label that was asked for.
    """
    return Review(rows, [mention for row in rows for mention in _doubtful_mentions(row, labels)])


def _doubtful_mentions(row: JsonObject, labels: Collection[str]) -> Iterable[JsonObject]:
    for (start, end), asked in sorted(_asked_spans(row, labels).items()):
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


def _asked_spans(row: JsonObject, labels: Collection[str]) -> dict[tuple[int, int], set[str]]:
    """Return {(start, end): labels that s2 asked for} of the asked entities that occur in a row's text."""
    pairs = [found for one in row.get("asked", []) if (found := _ASKED.fullmatch(one)) and found[2] in labels]
    spans: dict[tuple[int, int], set[str]] = defaultdict(set)
    for placed in place_entities([Item(pair[1], pair[2]) for pair in pairs], row["text"]).placed:
        spans[placed.start, placed.end].add(placed.item.label)
    return spans
