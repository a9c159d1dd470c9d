"""Items of an LLM's answer as spans of tokens in their sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from utils.parsing import Item


@dataclass(frozen=True, slots=True)
class Placed:
    """An item where it stands: tokens from `start` to `end` (exclusive)."""

    start: int
    end: int
    item: Item


@dataclass(frozen=True)
class Placement:
    """The items of one answer that were found in their sentence, and those that were not."""

    placed: list[Placed] = field(default_factory=list)
    lost: list[Item] = field(default_factory=list)


class TokenIndex:
    """A sentence's text without blanks, and the token that each of its characters belongs to."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.starts: dict[int, int] = {}  # offset of a token's first character -> the token
        self.ends: dict[int, int] = {}  # offset behind a token's last character -> behind the token
        parts = []
        offset = 0
        for index, token in enumerate(tokens):
            part = _without_blanks(token)
            if part:
                self.starts[offset] = index
                offset += len(part)
                self.ends[offset] = index + 1
                parts.append(part)
        self.text = "".join(parts)

    @cached_property
    def folded(self) -> str:
        """The text with case and width folded, character by character."""
        return _fold(self.text)

    def find(self, needle: str) -> list[tuple[int, int]]:
        """Return where `needle` stands, as offsets; exact matches, or else those with case and width folded.

        Occurrences may overlap; each begins and ends at a token's edge.
        """
        wanted = _without_blanks(needle)
        if not wanted:
            return []
        return list(self._occurrences(self.text, wanted, 0)) or list(self._occurrences(self.folded, _fold(wanted), 0))

    def find_next(self, needle: str, *, since: int) -> tuple[int, int] | None:
        """Return where `needle` stands next, be it exactly or folded; nearness says more than case, in order."""
        wanted = _without_blanks(needle)
        pairs = ((self.text, wanted), (self.folded, _fold(wanted))) if wanted else ()
        return min((place for pair in pairs for place in islice(self._occurrences(*pair, since), 1)), default=None)

    def _occurrences(self, text: str, wanted: str, since: int) -> Iterator[tuple[int, int]]:
        at = text.find(wanted, since)
        while at >= 0:
            end = at + len(wanted)
            if at in self.starts and end in self.ends:
                yield at, end
            at = text.find(wanted, at + 1)


def place_entities(items: Sequence[Item], tokens: Sequence[str]) -> Placement:
    """Return every occurrence of every item; overlapping and nested ones too."""
    index = TokenIndex(tokens)
    placement = Placement()
    for item in items:
        found = index.find(item.text)
        placement.placed.extend(Placed(index.starts[start], index.ends[end], item) for start, end in found)
        if not found:
            placement.lost.append(item)
    return placement


def place_words(items: Sequence[Item], tokens: Sequence[str]) -> Placement:
    """Return each item at its first occurrence behind the item before it, so repeated words stay apart."""
    index = TokenIndex(tokens)
    placement = Placement()
    offset = 0
    for item in items:
        found = index.find_next(item.text, since=offset)
        if found:
            start, offset = found
            placement.placed.append(Placed(index.starts[start], index.ends[offset], item))
        else:
            placement.lost.append(item)
    return placement


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def _fold(text: str) -> str:
    """Return `text` without differences of case and width; never longer or shorter, so offsets hold."""
    folded = []
    for character in text:
        plain = unicodedata.normalize("NFKC", character).casefold()
        folded.append(plain if len(plain) == 1 else character)
    return "".join(folded)
