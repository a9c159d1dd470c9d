"""Sentences as texts with offsets of characters, for the formats that have no tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from utils.dataset.formats.losses import Losses
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation, tokenisation_of
from utils.files.jsonl import JsonObject


@dataclass(frozen=True)
class WrittenSentence:
    """A sentence as a text: tokens joined without a space in dense text, else with one."""

    sentence: Sentence
    separator: str
    shows_tokens: bool  # the tokens are found again from the text alone

    @property
    def text(self) -> str:
        return self.separator.join(self.sentence.tokens)

    @cached_property
    def bounds(self) -> list[tuple[int, int]]:
        """The start and end of each token in the text."""
        lengths = [len(token) + len(self.separator) for token in self.sentence.tokens]
        starts = [0, *accumulate(lengths)]
        return [(start, start + len(token)) for start, token in zip(starts, self.sentence.tokens, strict=False)]

    def place(self, span: Span) -> tuple[int, int]:
        """Return the start and end of a span in the text."""
        return self.bounds[span.start][0], self.bounds[span.end - 1][1]

    def mention(self, span: Span) -> str:
        """Return the text of a span."""
        start, end = self.place(span)
        return self.text[start:end]


def written(sentences: Sequence[Sentence], tokenisation: Tokenisation) -> list[WrittenSentence]:
    """Return sentences as texts."""
    separator = "" if tokenisation.is_dense else " "
    texts = (separator.join(sentence.tokens) for sentence in sentences)
    is_dense = tokenisation.is_dense and tokenisation_of(texts).is_dense  # Korean syllables look like words
    return [
        WrittenSentence(one, separator, is_dense and all(len(token) == 1 for token in one.tokens)) for one in sentences
    ]


def note_lost_tokens(sentences: Sequence[WrittenSentence], losses: Losses) -> None:
    """Say how a format without tokens must be read again, if a text alone looks as if words were its tokens."""
    if sentences and not sentences[0].separator and not all(one.shows_tokens for one in sentences):
        losses.note("this format does not say that a token is a character: read it again with --dense_lang=1")


def utf16_offset(text: str, at: int) -> int:
    """Return a position in a string as JavaScript counts it.

    >>> utf16_offset("😀a", 1)
    2
    """
    return at + sum(character > "\uffff" for character in text[:at])


def token_key(sentence: WrittenSentence) -> JsonObject:
    """Return the tokens of a sentence under "tokens", unless its text shows them."""
    return {} if sentence.shows_tokens else {"tokens": list(sentence.sentence.tokens)}


def tokens_in(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the tokens under "tokens" of an object, or None if it has none."""
    tokens = row.get("tokens")
    is_list = isinstance(tokens, list) and tokens and all(isinstance(token, str) for token in tokens)
    return tuple(tokens) if is_list and isinstance(tokens, list) else None
