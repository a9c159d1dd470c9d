"""The pieces of answers that may become new sentences, and their rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from utils.dataset.records import Sentence, Span, span_to_row
from utils.files.jsonl import JsonObject
from utils.synthesis.cleaning import Piece
from utils.synthesis.habits.rules import DropReason


@dataclass(frozen=True)
class Candidate:
    """A piece of an answer, with its source sentence and the sample number of the answer."""

    source: Sentence
    sample: int
    piece: Piece
    asked: tuple[str, ...] = ()  # entities of the question, with labels
    mentions: tuple[str, ...] = ()  # those of them that the piece contains, without labels
    known: tuple[Span, ...] = ()  # labels of mentions that the sentence had to contain

    @property
    def is_kept(self) -> bool:
        """Whether there is no reason to drop the piece."""
        return self.piece.reason is None

    @property
    def free_tokens(self) -> list[str]:
        """The tokens outside the given mentions, which the LLM chose."""
        given = {index for span in self.known for index in range(span.start, span.end)}
        return [token for index, token in enumerate(self.piece.tokens) if index not in given]

    @property
    def random_key(self) -> str:
        """A sort key that puts the answers in a fixed random order."""
        return hashlib.sha256(f"{self.source.id} {self.sample}".encode()).hexdigest()

    def dropped(self, reason: DropReason) -> Candidate:
        """Return the candidate as dropped."""
        return replace(self, piece=replace(self.piece, reason=reason))

    def as_row(self, number: int) -> JsonObject:
        """Return the row of a kept sentence, the `number`-th one of its source."""
        tokens = self.piece.tokens
        row = {
            "id": f"{self.source.id}-{number}",
            "source": int(self.source.id),
            "text": list(tokens),
            "entities": [],
            "synthetic": True,
            "asked": list(self.asked),
            "mentions": list(self.mentions),
        }
        return row | ({"known": [span_to_row(span, tokens) for span in self.known]} if self.known else {})

    def as_dropped_row(self) -> JsonObject:
        """Return the row of a dropped piece."""
        return {
            "source": int(self.source.id),
            "sample": self.sample,
            "text": self.piece.text,
            "reason": self.piece.reason,
        }
