"""Offsets in bytes, UTF-16 code units or other line breaks as positions in a Python string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER

OffsetUnit = Literal["character", "utf16", "byte", "token"]
# Line breaks while a tool counted: as in the text; "\r\n" was one character; "\n" was "\r\n".
Newline = Literal["kept", "one", "two"]


@lru_cache(maxsize=64)  # the spans of a text follow each other
def position_map(text: str | tuple[str, ...], unit: OffsetUnit, newline: Newline) -> Mapping[int, int]:
    """Return the position of each offset: of characters in a string, or of tokens in a tuple (`unit` "character").

    An offset inside a character, or inside a token, has no position.

    >>> position_map("😀a", "utf16", "kept")
    {0: 0, 2: 1, 3: 2}
    """
    if isinstance(text, tuple):
        return _token_positions(text)
    positions: dict[int, int] = {}
    offset = 0
    for index, character in enumerate(text):
        positions[offset] = index
        offset += _width(text, index, character, unit, newline)
    positions[offset] = len(text)
    return positions


def _width(text: str, index: int, character: str, unit: OffsetUnit, newline: Newline) -> int:
    """Return how far the offset after a character is from the one before it."""
    if newline == "one" and character == "\r" and text[index + 1 : index + 2] == "\n":
        return 0
    more = 1 if newline == "two" and character == "\n" and text[index - 1 : index] != "\r" else 0
    if unit == "utf16":
        return more + 1 + (character > "\uffff")
    return more + (len(character.encode("utf-8", "surrogatepass")) if unit == "byte" else 1)


def _token_positions(tokens: Sequence[str]) -> dict[int, int]:
    """Return the token that begins or ends at each character of the tokens' text."""
    is_dense = sum(bool(DENSE_CHARACTER.match(token)) for token in tokens) * 2 > len(tokens)
    between = 0 if is_dense else 1
    positions: dict[int, int] = {}
    offset = 0
    for index, token in enumerate(tokens):
        positions.setdefault(offset, index)
        positions[offset + len(token)] = index + 1
        offset += len(token) + between
    return positions
