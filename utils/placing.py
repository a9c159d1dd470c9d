"""Items of an LLM's answer as spans of tokens in their sentence."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from utils.parsing import Item

MOST_PLACES = 20_000  # places of an answer's words that are weighed against each other; above, the first ones count

# Marks that an answer writes otherwise than its sentence, beyond what NFKD makes alike; and what is not seen at all.
_ALIKE = str.maketrans(
    "‘’‛′`´“”„″«»–—―−‐‑〜∼", "''''''\"\"\"\"\"\"------~~", "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"
)


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


class _Table(NamedTuple):
    """A text without blanks, and the tokens whose first or last character stands at an offset of it."""

    text: str
    starts: Mapping[int, int]  # offset of a token's first character -> the token
    ends: Mapping[int, int]  # offset behind a token's last character -> behind the token

    def places(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Yield the spans of tokens that are `wanted`; they may overlap, each begins and ends at a token's edge."""
        at = self.text.find(wanted) if wanted else -1
        while at >= 0:
            end = at + len(wanted)
            if at in self.starts and end in self.ends:
                yield self.starts[at], self.ends[end]
            at = self.text.find(wanted, at + 1)


class TokenIndex:
    """A sentence's tokens, to be searched by text: exactly, or without differences of case, width and form."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self.exact = _table(tokens)

    @cached_property
    def folded(self) -> _Table:
        return _table([_fold(token) for token in self.tokens])

    def find(self, needle: str) -> list[tuple[int, int]]:
        """Return the spans of tokens that `needle` is: exact matches, or else those that differ in form alone."""
        exact = list(self.exact.places(_without_blanks(needle)))
        return exact or list(self.folded.places(_without_blanks(_fold(needle))))

    def find_all(self, needle: str) -> list[tuple[int, int, bool]]:
        """Return the spans of tokens that `needle` is in any form, and whether it is so exactly, by position."""
        exact = set(self.exact.places(_without_blanks(needle)))
        folded = self.folded.places(_without_blanks(_fold(needle)))
        return sorted((start, end, (start, end) in exact) for start, end in exact.union(folded))


def place_entities(items: Sequence[Item], tokens: Sequence[str]) -> Placement:
    """Return every occurrence of every item; overlapping and nested ones too."""
    index = TokenIndex(tokens)
    placement = Placement()
    for item in items:
        found = index.find(item.text)
        placement.placed.extend(Placed(start, end, item) for start, end in found)
        if not found:
            placement.lost.append(item)
    return placement


def place_words(items: Sequence[Item], tokens: Sequence[str]) -> Placement:
    """Return the items where they stand in their order, so that repeated words stay apart.

    Where not all words follow each other, those places are taken that hold most of the text in the items' order: a
    word that was invented or left out costs itself alone.
    """
    index = TokenIndex(tokens)
    spans = _places_in_a_row(items, index.exact) or _best_places(items, index)
    placement = Placement()
    for item, span in zip(items, spans, strict=True):
        if span is None:
            placement.lost.append(item)
        else:
            placement.placed.append(Placed(*span, item))
    return placement


def _places_in_a_row(items: Sequence[Item], table: _Table) -> list[tuple[int, int] | None] | None:
    """Return the places of items that follow each other from the sentence's beginning; None where they do not."""
    spans: list[tuple[int, int] | None] = []
    at = 0
    for item in items:
        wanted = _without_blanks(item.text)
        end = at + len(wanted)
        if not wanted or not table.text.startswith(wanted, at) or at not in table.starts or end not in table.ends:
            return None
        spans.append((table.starts[at], table.ends[end]))
        at = end
    return spans


class _Chain(NamedTuple):
    """The best way to place some items: its worth, where it ends, its last place, and the chain before it."""

    worth: int
    end: int
    item: int
    start: int
    before: _Chain | None


def _best_places(items: Sequence[Item], index: TokenIndex) -> list[tuple[int, int] | None]:
    """Return a place, or None, for each item: the chain of places in order that holds most characters.

    Of equal chains, one whose places touch, then one of exact matches, then the first one is taken.
    """
    by_text = {item.text: index.find_all(item.text) for item in items}
    weigh = sum(len(by_text[item.text]) for item in items) <= MOST_PLACES
    front: list[_Chain] = []  # chains of growing end and worth
    ending: dict[int, _Chain] = {}  # the best chain that ends at a token
    for number, item in enumerate(items):
        length = 4 * len(_without_blanks(item.text))
        chains = []
        for start, end, exact in by_text[item.text]:
            before = _best_before(front, ending, start)
            chain = _Chain(_worth(before, start) + length + exact, end, number, start, before)
            if weigh or not front or front[-1].end <= start:
                chains.append(chain)
        for chain in chains if weigh else chains[:1]:
            _add_to_front(front, chain)
            ending[chain.end] = max(chain, ending.get(chain.end, chain), key=lambda one: one.worth)
    spans: list[tuple[int, int] | None] = [None] * len(items)
    last = front[-1] if front else None
    while last is not None:
        spans[last.item] = last.start, last.end
        last = last.before
    return spans


def _best_before(front: Sequence[_Chain], ending: Mapping[int, _Chain], start: int) -> _Chain | None:
    """Return the chain that a place at `start` is best put behind."""
    at = bisect_right(front, start, key=lambda chain: chain.end)
    chains = [chain for chain in (ending.get(start), front[at - 1] if at else None) if chain is not None]
    return max(chains, key=lambda chain: _worth(chain, start), default=None)


def _worth(before: _Chain | None, start: int) -> int:
    """Return what a chain is worth to a place at `start`: more where the place touches it."""
    return before.worth + 2 * (before.end == start) if before is not None else 0


def _add_to_front(front: list[_Chain], chain: _Chain) -> None:
    """Put a chain into the front, and take out those that end no earlier and are worth no more."""
    at = bisect_right(front, chain.end, key=lambda other: other.end)
    if at and front[at - 1].worth >= chain.worth:
        return
    while at < len(front) and front[at].worth <= chain.worth:
        del front[at]
    if at and front[at - 1].end == chain.end:
        front[at - 1] = chain
    else:
        front.insert(at, chain)


def _table(tokens: Sequence[str]) -> _Table:
    text = "".join(tokens)
    if len(text) == len(tokens) and "" not in tokens and len(text.split()) == 1:  # a character each
        return _Table(text, _Same(len(text)), _Same(len(text) + 1))
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    parts = []
    offset = 0
    for number, token in enumerate(tokens):
        part = _without_blanks(token)
        if part:
            starts[offset] = number
            offset += len(part)
            ends[offset] = number + 1
            parts.append(part)
    return _Table("".join(parts), starts, ends)


class _Same(Mapping[int, int]):
    """The numbers below a length, each for itself."""

    def __init__(self, length: int) -> None:
        self.numbers = range(length)

    def __getitem__(self, number: int) -> int:
        return self.numbers[number]

    def __contains__(self, number: object) -> bool:
        return number in self.numbers

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


def _without_blanks(text: str) -> str:
    return "".join(text.split())


@lru_cache(maxsize=1 << 16)
def _fold(text: str) -> str:
    """Return `text` without differences of case, width, composition and quotation marks, and without what is unseen."""
    if text.isascii():
        return text.lower().translate(_ALIKE) if "`" in text else text.lower()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_ALIKE)
