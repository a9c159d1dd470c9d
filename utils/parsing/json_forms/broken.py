"""Broken JSON as values: each piece between two braces is repaired alone, so one mistake costs at most one item."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from utils.parsing.json_forms.literals import complete_strings
from utils.parsing.json_forms.repair import as_object, complete_pairs, repair, split_at_repeated_key

# Brackets without a quotation mark on both sides: a quoted bracket is a word.
_BRACKET = re.compile(r"""(?<!["'“‘「])[\[\](){}]|[\[\](){}](?!["'”’」])""")
NAME = r"""["'“]([^"'“”\[\]{}\n]{1,60})["'”]\s{0,4}[:：=]"""
_NAME_AT_END = re.compile(rf"[\s,，]{{0,8}}{NAME}\s{{0,8}}\[?\s{{0,8}}$")
# A flat object where only the quotation marks are not those of JSON: a brace inside a string does not end it.
_SHORT_STRING = r"""(?:"(?:[^"\\\n]|\\.){0,400}"|'(?:[^'\\\n]|\\.){0,400}')"""
_FLAT_PAIR = re.compile(
    rf"\s{{0,20}}{_SHORT_STRING}\s{{0,8}}:\s{{0,8}}(?:{_SHORT_STRING}|[\w.+-]{{1,40}})\s{{0,8}}(?:,|(?=\}}))"
)
_FLAT_END = re.compile(r"\s{0,20}\}")

# A flat object without any quotation mark; a key may have spaces: {Ann Lee: PER}
_UNQUOTED_PAIR = r"""[^"'“”‘’「」{}\[\]:：=,，\n]{1,60}[:：][^"'“”‘’「」{}\[\]:：=,，\n]{1,60}"""
_UNQUOTED = re.compile(rf"((?:{_UNQUOTED_PAIR}[,，]){{0,200}}{_UNQUOTED_PAIR}[,，]?\s{{0,8}})\}}")


class BrokenText:
    """A text of which broken objects and arrays are read. What is found out about a position is not searched again."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._brackets = [match.start() for match in _BRACKET.finditer(text)]
        self._braces = [position for position in self._brackets if text[position] in "{}"]
        self._flat_ends: dict[int, int | None] = {}  # position of a pair -> end of its flat object, None for no object

    def read_object(self, start: int) -> tuple[Any, int]:
        """Return the object between `start` and the next brace (None if it has no pair), and where to continue."""
        flat_end = self._flat_end(start)
        if flat_end is not None:
            return as_object(complete_pairs(self.text[start:flat_end])), flat_end
        if (unquoted := _UNQUOTED.match(self.text, start)) is not None:
            pairs = [pair.replace("：", ":").partition(":") for pair in re.split("[,，]", unquoted[1])]
            return as_object([(key.strip(), value.strip()) for key, _, value in pairs if key.strip()]), unquoted.end()
        end = self._next(self._braces, start)
        piece = self.text[start:end]
        cut_off = end == len(self.text)
        closed = end + 1 if not cut_off and self.text[end] == "}" else end
        if closed == end and not cut_off:
            piece = _NAME_AT_END.sub("", piece)  # the name of the value that the next brace begins
        pieces = split_at_repeated_key(piece)
        parts = [repair(part, cut_off=cut_off and part is pieces[-1]) for part in pieces]
        objects = [part for part in parts if part]
        if not objects:
            return None, closed
        return (objects[0] if len(objects) == 1 else objects), closed

    def read_array(self, start: int) -> tuple[Any, int]:
        """Return the strings of the innermost array that begins at `start`, and where to continue.

        The first part is None if there is no such array.
        """
        end = self._next(self._brackets, start + 1)
        if end < len(self.text) and self.text[end] not in "])":
            return None, start + 1
        strings = list(complete_strings(self.text, start + 1, end))
        cut_off = end == len(self.text)
        if cut_off and len(strings) < 2:
            strings = []
        return (strings or None), min(end + 1, len(self.text))

    def _next(self, positions: Sequence[int], start: int) -> int:
        """Return the first of the sorted positions from `start` on, or the length of the text."""
        number = bisect_left(positions, start)
        return positions[number] if number < len(positions) else len(self.text)

    def _flat_end(self, start: int) -> int | None:
        """Return the end of the flat object whose first pair begins at `start`, or None for other text."""
        pairs: list[int] = []
        position = start
        while position not in self._flat_ends and (pair := _FLAT_PAIR.match(self.text, position)) is not None:
            pairs.append(position)
            position = pair.end()
        end = self._flat_ends.get(position)
        if pairs and position not in self._flat_ends and (closing := _FLAT_END.match(self.text, position)) is not None:
            end = closing.end()
        self._flat_ends.update(dict.fromkeys(pairs, end))
        return end
