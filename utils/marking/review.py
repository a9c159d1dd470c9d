"""Mentions that a span model labels differently from what the LLM was asked to write about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.files.jsonl import JsonObject
from utils.parsing import Item
from utils.placing import place_entities
from utils.wording import agreeing, counted

_ASKED = re.compile(r"(.+)\(([^()]+)\)", re.DOTALL)  # mention(label), such as 邓超(PER.NAM)


@dataclass
class Review:
    """Counts of labelled sentences, and of the mentions in them that a person should look at."""

    drop_disagreeing: bool = False  # drop sentences in which a mention has another label than s2 asked for
    sentences: int = 0  # that are kept
    spans: int = 0  # in these
    disagreeing: int = 0  # mentions with another label than s2 asked for
    unlabelled: int = 0  # mentions without a label
    dropped: int = 0  # sentences

    def keeps(self, row: JsonObject, mentions: Sequence[JsonObject]) -> bool:
        """Count a labelled row with its doubtful mentions; return whether the row is kept."""
        disagreeing = sum(mention["predicted"] is not None for mention in mentions)
        self.disagreeing += disagreeing
        self.unlabelled += len(mentions) - disagreeing
        if self.drop_disagreeing and disagreeing:
            self.dropped += 1
            return False
        self.sentences += 1
        self.spans += len(row["entities"])
        return True

    def __str__(self) -> str:
        dropped = f" ({self.dropped} dropped)" if self.dropped else ""
        sentences = counted(self.sentences, "synthetic sentence")
        have = agreeing(self.disagreeing, "has", "have")
        return (
            f"labelled {counted(self.spans, 'target span')} in {sentences}{dropped}; of the entities in "
            f"s2's questions, {self.disagreeing} {have} a different label and {self.unlabelled} "
            f"{agreeing(self.unlabelled, 'has', 'have')} none"
        )

    @property
    def advice(self) -> str | None:
        """Return what to try if the model found no span in the sentences."""
        return (
            "the model found no target spans: train it longer, or on more data"
            if self.sentences and not self.spans
            else None
        )

    @property
    def counts(self) -> dict[str, int]:
        """The counts for the manifest."""
        return {
            "sentences": self.sentences,
            "spans": self.spans,
            "disagreeing": self.disagreeing,
            "unmarked": self.unlabelled,
            "dropped": self.dropped,
        }


def doubtful_mentions(row: JsonObject, labels: Collection[str]) -> Iterator[JsonObject]:
    """Yield the mentions in a labelled row for which the model and s2 disagree.

    Only entities with one of `labels`, those that the model predicts, are compared. For the row

        text      Agnes Muir saw Rome .        asked  ["Agnes Muir(PER)", "Rome(LOC)"]
        entities  (0, 2) ORG

    "Agnes Muir" is disagreeing (asked PER, predicted ORG), and "Rome" is unlabelled (asked LOC, predicted None). A
    span agrees if it overlaps with the mention and has a label that was asked for.
    """
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
