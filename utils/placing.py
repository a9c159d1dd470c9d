"""Placing: finds the items of an LLM's answer in their sentence, as spans of tokens."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from utils.dataset.tokens import without_spaces
from utils.parsing import Item

# Occurrences of all items of an answer. With more, comparing all chains would take too long, and each item takes its
# first occurrence after the item before it.
MAX_OCCURRENCES = 20_000

# Quotation marks and dashes that models exchange, and invisible characters to remove; NFKD does not make these equal.
_EQUIVALENTS = str.maketrans(
    "‘’‛′`´“”„″«»–—―−‐‑〜∼", "''''''\"\"\"\"\"\"------~~", "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"
)

MIN_DENSE = 4  # tokens; a shorter sentence without ideographs may consist of one-letter words
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024fＡ-Ｚａ-ｚ"
_INSIDE_RUN = re.compile(rf"(?<=[{_LATIN}])(?=[{_LATIN}])|(?<=[0-9０-９])(?=[0-9０-９])")
_DENSE_CHARACTER = re.compile("[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff]")


class PlacedItem(NamedTuple):
    """An item and its tokens, from `start` to `end` (exclusive)."""

    start: int
    end: int
    item: Item


@dataclass(frozen=True)
class PlacedAnswer:
    """The items of one answer: those that were found in the sentence, once for each occurrence, and the others."""

    placed: list[PlacedItem] = field(default_factory=list)
    lost: list[Item] = field(default_factory=list)


class _SearchText(NamedTuple):
    """A sentence without spaces, and which tokens begin and end at its offsets."""

    text: str
    starts: Mapping[int, int]  # offset of a token's first character -> index of the token
    ends: Mapping[int, int]  # offset after a token's last character -> index of the token + 1

    def occurrences(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Yield the spans whose text is `wanted`. They begin and end at token boundaries and may overlap."""
        offset = self.text.find(wanted) if wanted else -1
        while offset >= 0:
            end = offset + len(wanted)
            if offset in self.starts and end in self.ends:
                yield self.starts[offset], self.ends[end]
            offset = self.text.find(wanted, offset + 1)


class TokenIndex:
    """Searches the tokens of a sentence for texts, exactly or without regard to case, width and form."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tokens
        self._inside_runs = _inside_runs(tokens)
        self.exact = _search_text(tokens, self._inside_runs)

    @cached_property
    def folded(self) -> _SearchText:
        return _search_text([_fold(token) for token in self.tokens], self._inside_runs)

    def find(self, text: str) -> list[tuple[int, int]]:
        """Return the spans with exactly this text or, if there are none, those that differ only in form."""
        exact = list(self.exact.occurrences(without_spaces(text)))
        return exact or list(self.folded.occurrences(without_spaces(_fold(text))))

    def find_all(self, text: str) -> list[tuple[int, int, bool]]:
        """Return the spans with this text in any form, by position, and whether each one matches exactly."""
        exact = set(self.exact.occurrences(without_spaces(text)))
        folded = self.folded.occurrences(without_spaces(_fold(text)))
        return sorted((start, end, (start, end) in exact) for start, end in exact.union(folded))


@lru_cache(maxsize=4)
def _index(tokens: tuple[str, ...]) -> TokenIndex:
    """Return the index of a sentence; the answers to one sentence, in several modes, are placed one after the other."""
    return TokenIndex(tokens)


def place_entities(items: Sequence[Item], tokens: Sequence[str]) -> PlacedAnswer:
    """Return every occurrence of every item, overlapping and nested ones too."""
    index = _index(tuple(tokens))
    answer = PlacedAnswer()
    for item in items:
        found = index.find(item.text)
        answer.placed.extend(PlacedItem(start, end, item) for start, end in found)
        if not found:
            answer.lost.append(item)
    return answer


def place_words(items: Sequence[Item], tokens: Sequence[str]) -> PlacedAnswer:
    """Return one occurrence of each item, in the order of the items, so that repeated words stay apart.

    If the items do not cover the sentence word by word, the occurrences that contain most characters in the right
    order are chosen: an invented or missing word does not displace the others.
    """
    index = _index(tuple(tokens))
    spans = _adjacent_spans(items, index.exact) or _best_spans(items, index)
    answer = PlacedAnswer()
    for item, span in zip(items, spans, strict=True):
        if span is None:
            answer.lost.append(item)
        else:
            answer.placed.append(PlacedItem(span[0], span[1], item))
    return answer


def _adjacent_spans(items: Sequence[Item], sentence: _SearchText) -> list[tuple[int, int] | None] | None:
    """Return the spans of items that follow each other from the first token on; None if they do not."""
    text, starts, ends = sentence
    spans: list[tuple[int, int] | None] = []
    offset = 0
    for item in items:
        wanted = without_spaces(item.text)
        end = offset + len(wanted)
        is_next = wanted and text.startswith(wanted, offset)
        if not is_next or offset not in starts or end not in ends:
            return None
        spans.append((starts[offset], ends[end]))
        offset = end
    return spans


class _Chain(NamedTuple):
    """The best way to place some items in order; a linked list of occurrences from the last one to the first."""

    score: int
    end: int  # token after the last occurrence
    item: int  # number of the last placed item
    start: int  # first token of the last occurrence
    previous: _Chain | None


def _best_spans(items: Sequence[Item], index: TokenIndex) -> list[tuple[int, int] | None]:
    """Return a span, or None, for each item: those of the chain that contains most characters.

    Among equal chains, adjacent occurrences are preferred, then exact matches, then the first chain.
    """
    occurrences = {item.text: index.find_all(item.text) for item in items}
    compare_all = sum(len(occurrences[item.text]) for item in items) <= MAX_OCCURRENCES
    front: list[_Chain] = []  # chains with increasing end and score
    ending: dict[int, _Chain] = {}  # token -> the best chain that ends there
    for number, item in enumerate(items):
        length = 4 * len(without_spaces(item.text))
        chains = []
        for start, end, exact in occurrences[item.text]:
            previous = _best_previous(front, ending, start)
            chain = _Chain(_score_before(previous, start) + length + exact, end, number, start, previous)
            if compare_all or not front or front[-1].end <= start:
                chains.append(chain)
        for chain in chains if compare_all else chains[:1]:
            _add_to_front(front, chain)
            ending[chain.end] = max(chain, ending.get(chain.end, chain), key=lambda one: one.score)
    return _chain_spans(front[-1] if front else None, len(items))


def _chain_spans(chain: _Chain | None, number_of_items: int) -> list[tuple[int, int] | None]:
    """Return the span of each item that is in a chain, None for the others."""
    spans: list[tuple[int, int] | None] = [None] * number_of_items
    while chain is not None:
        spans[chain.item] = chain.start, chain.end
        chain = chain.previous
    return spans


def _best_previous(front: Sequence[_Chain], ending: Mapping[int, _Chain], start: int) -> _Chain | None:
    """Return the chain that is best continued by an occurrence at `start`."""
    after = bisect_right(front, start, key=lambda chain: chain.end)
    chains = [chain for chain in (ending.get(start), front[after - 1] if after else None) if chain is not None]
    return max(chains, key=lambda chain: _score_before(chain, start), default=None)


def _score_before(chain: _Chain | None, start: int) -> int:
    """Return the score of a chain that an occurrence at `start` continues; 2 more if the two are adjacent."""
    return chain.score + 2 * (chain.end == start) if chain is not None else 0


def _add_to_front(front: list[_Chain], chain: _Chain) -> None:
    """Insert a chain into the front, and remove chains that end no earlier and have no higher score."""
    after = bisect_right(front, chain.end, key=lambda other: other.end)
    if after and front[after - 1].score >= chain.score:
        return
    while after < len(front) and front[after].score <= chain.score:
        del front[after]
    if after and front[after - 1].end == chain.end:
        front[after - 1] = chain
    else:
        front.insert(after, chain)


def _search_text(tokens: Sequence[str], inside: frozenset[int]) -> _SearchText:
    text = "".join(tokens)
    if len(text) == len(tokens) and "" not in tokens and len(text.split()) == 1:  # each token is one character
        offsets = range(len(text) + 1)
        boundaries = (
            {offset: offset for offset in offsets if offset not in inside}
            if inside
            else dict(zip(offsets, offsets, strict=True))
        )
        return _SearchText(text, boundaries, boundaries)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    parts = []
    offset = 0
    for number, token in enumerate(tokens):
        part = without_spaces(token)
        if part:
            if number not in inside:
                starts[offset] = number
            offset += len(part)
            if number + 1 not in inside:
                ends[offset] = number + 1
            parts.append(part)
    return _SearchText("".join(parts), starts, ends)


def _inside_runs(tokens: Sequence[str]) -> frozenset[int]:
    """Return the token boundaries that no span may have: those inside a run of Latin letters, or of digits.

    Only dense text has such runs of one-character tokens. It has ideographs, kana or hangul, none of which shares a
    token with other characters, or at least MIN_DENSE tokens, all of one character.

        >>> sorted(_inside_runs(list("在iOS15上")))  # boundary n is before token n
        [2, 3, 5]
    """
    longer = [token for token in tokens if len(token) > 1]  # rare in dense text
    has_dense_tokens = any(map(_DENSE_CHARACTER.match, tokens)) or (not longer and len(tokens) >= MIN_DENSE)
    if not has_dense_tokens or any(map(_DENSE_CHARACTER.search, longer)):
        return frozenset()
    is_marked = longer or "" in tokens
    marked = "".join(token if len(token) == 1 else " " for token in tokens) if is_marked else "".join(tokens)
    return frozenset(match.start() for match in _INSIDE_RUN.finditer(marked))


@lru_cache(maxsize=1 << 16)
def _fold(text: str) -> str:
    """Return a text without differences of case, width, composition and quotation marks, and invisible characters."""
    if text.isascii():
        return text.lower().translate(_EQUIVALENTS) if "`" in text else text.lower()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_EQUIVALENTS)
