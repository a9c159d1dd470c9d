"""The common record of all formats: a text with labelled spans, as a file of another tool gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from utils.dataset.formats.losses import Losses
from utils.dataset.tokens import Tokenisation

PREDICTED = "ner"  # the origin of spans that a model predicted, in formats that do not name their origin
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A labelled span with offsets as they are in the file: of characters or tokens, with or without the last one.

    `pieces` are the parts of a discontinuous span in their order, with the same kind of offsets; else it is empty.
    """

    start: int
    end: int
    label: str
    text: str | None = None  # the mention as the file gives it; None if it gives none
    origin: str | None = None
    score: float | None = None
    pieces: tuple[tuple[int, int], ...] = ()
    row: Mapping[str, Any] | None = None  # unknown keys of the span, for the project's own format

    def __str__(self) -> str:
        mention = f" {self.text!r}" if self.text is not None else ""
        return f"{self.label} {self.start}-{self.end}{mention}"


@dataclass(frozen=True, slots=True)
class Document:
    """A text of a file, with its spans.

    The offsets of the spans count characters if `text` is a string, and tokens if it is a tuple of tokens. `tokens` are
    the tokens of a string if the file has both.
    """

    where: str  # file, and line or number, for messages
    text: str | tuple[str, ...]
    spans: tuple[RawSpan, ...] = ()
    tokens: tuple[str, ...] | None = None
    row: Mapping[str, Any] = field(default_factory=dict)  # further keys of the sentence in the project's format


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What the readers of a conversion share. A reader that needs none of it ignores it."""

    losses: Losses
    tokenisation: Tokenisation | None = None  # None: found from the texts
    token_column: str | None = None  # a name, or a number from 1; None: the usual one
    tag_column: str | None = None


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What the writers of a conversion share: the labels are those of all splits, in their order."""

    losses: Losses
    tokenisation: Tokenisation
    labels: tuple[str, ...]

    @property
    def separator(self) -> str:
        """What is between two tokens in a text."""
        return "" if self.tokenisation.is_dense else " "


def check_characters(documents: Iterable[Document]) -> None:
    """Raise ValueError if a text or a label has half of a surrogate pair, which JSON can hold, but no text file."""
    for document in documents:
        texts = (document.text,) if isinstance(document.text, str) else document.text
        for text in (*texts, *(document.tokens or ()), *(span.label for span in document.spans)):
            if _LONE_SURROGATE.search(text):
                raise ValueError(
                    f"{document.where}: {text[:40]!a} contains a lone surrogate (half of a character): correct the text"
                )
