"""The JSON in a text, valid or broken, as values; in time that grows with the text's length and no faster.

What is valid is decoded. What is not is cut at its braces and brackets into pieces that hold one item each, and a
piece is repaired by itself: so one mistake costs one item at most, and no repair sees more than a short piece.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import json_repair

from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, plain_key

LONGEST_PIECE = 400  # characters of one broken item; of a longer one its complete pairs are taken
MOST_BRACKETS = 4  # open ones in a piece that is repaired: json_repair's time explodes with them
SHORT = 1000  # characters of a value that is tried where much else was in vain
PATIENCE = 12  # characters decoded in vain for each character of the text
DEPTH_COST = 50_000  # what a decoding that ends in too many open brackets counts as, in characters

_OPEN = re.compile(
    r"""[\[{]|\((?=\s{0,4}["'“‘])|["'“](?=(?:entity|word|name|text|token|实体|词|词语|单词)["'”]\s{0,4}[:：])"""
)
_BRACE = re.compile(r"[{}]")
_BRACKET = re.compile(r"[\[\](){}]")
_QUOTED_BRACE = re.compile(r"""["'“‘「][\[\](){}]["'”’」]""")
_NAME = r"""["'“]([^"'“”\[\]{}\n]{1,60})["'”]\s{0,4}[:：=]"""
_NAME_BEFORE = re.compile(rf"{_NAME}\s{{0,8}}\[?\s{{0,8}}$")
_NAME_AT_END = re.compile(rf"[\s,，]{{0,8}}{_NAME}\s{{0,8}}\[?\s{{0,8}}$")
_HAS_PAIR = re.compile(r"""[:：=]|["'”’]\s{0,4}["'“‘]""")
_GAP = re.compile(rf"(?:[\s,，;；、\[\](){{}}]|{_NAME})*$")
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|“[^“”\n]*”)"""
_KEY = r"""(?:["'“‘]?[^"'“”‘’\[\]{}:：=,，\s]{1,60}["'”’]?|"[^"\n]{1,120}"|'[^'\n]{1,120}')"""
_STRINGS = rf"\[(?:\s{{0,8}}{_STRING}\s{{0,8}},?)*\s{{0,8}}\]?"
_VALUE = rf"""(?:{_STRING}|{_STRINGS}|[^\s"'“‘\[\]{{}},，]{{1,120}}(?=\s{{0,8}}[,，}}]))"""
_PAIR = re.compile(rf"({_KEY})\s{{0,8}}[:：=]\s{{0,8}}({_VALUE})")
_COMPLETE_STRING = re.compile(_STRING)
# A flat object in which only the quotation marks are wrong: braces in its strings are no end of it.
_SHORT_STRING = r"""(?:"(?:[^"\\\n]|\\.){0,400}"|'(?:[^'\\\n]|\\.){0,400}')"""
_FLAT = re.compile(
    rf"(?:\s{{0,20}}{_SHORT_STRING}\s{{0,8}}:\s{{0,8}}(?:{_SHORT_STRING}|[\w.+-]{{1,40}})\s{{0,8}}(?:,|(?=\}})))+\s{{0,20}}\}}"
)

# What json_repair reads otherwise than it was meant.
_MENDS = (
    (re.compile(r"""(["'”’])\s{0,8}：\s{0,8}|\s{0,8}：\s{0,8}(?=["'“‘])"""), r"\1:"),
    (re.compile(r"""(["'”’\w])\s{0,8}，\s{0,8}(?=["'“‘]?[^"'“”‘’:：,，\s]{1,40}["'”’]?\s{0,8}:)"""), r"\1,"),
    (re.compile(r"""(["'\w])\s{0,8}=>?\s{0,8}(?=["'“‘])"""), r"\1:"),
    (re.compile(r'"""(?=\s{0,8}(?:[,}:\]]|$))'), r'"\""'),
    (re.compile(r"'''(?=\s{0,8}(?:[,}:\]]|$))"), '"\'"'),
    (re.compile(r'([:,\[]\s{0,8})"\\"(?=\s{0,8}[,}\]])'), r'\1"\\\\"'),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A value that stands in a text, the name that stands before it, and whether it belongs to the value before it."""

    value: Any
    name: str
    valid: bool  # decoded as it stands, not repaired
    begins_group: bool  # other words stand before it


def salvage(text: str) -> Iterator[Found]:
    """Yield the arrays and objects of a text, in order; those inside a broken one by themselves."""
    return _Reader(text).values()


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.decoder = json.JSONDecoder(object_pairs_hook=_object, strict=False)
        self.patience = PATIENCE * len(text) + DEPTH_COST
        self.patience_for_short = self.patience // 2

    def values(self) -> Iterator[Found]:
        at = 0
        name, apart = "", False
        while (opening := _OPEN.search(self.text, at)) is not None:
            start = opening.start()
            apart = apart or not _GAP.match(self.text, at, start)
            name = self._name_before(start) or ("" if apart else name)
            value, end, valid = self._value_at(start)
            if isinstance(value, (dict, list)):
                yield Found(value, name, valid, begins_group=apart)
                apart = False
            at = end

    def _name_before(self, start: int) -> str:
        found = _NAME_BEFORE.search(self.text, max(0, start - 80), start)
        return found[1].strip() if found else ""

    def _value_at(self, start: int) -> tuple[Any, int, bool]:
        """Return the value that begins at `start` (None where none does), where to go on, and whether it is valid."""
        opening = self.text[start]
        decoded = self._decoded(start) if opening in "[{" else None
        if decoded is not None:
            return (*decoded, True)
        if opening in "[(":
            return (*self._broken_array(start), False)
        # A quotation mark is the beginning of an object without its brace.
        return (*self._broken_object(start + (opening == "{")), False)

    def _decoded(self, start: int) -> tuple[Any, int] | None:
        """Return the valid value that begins at `start`, and its end.

        What is decoded in vain is paid for; with half of the patience gone, only short values are tried. (An error
        counts the lines before it, so it costs what the text before it is long.)
        """
        if self.patience <= 0:
            return None
        whole = self.patience > self.patience_for_short
        text, at = (self.text, start) if whole else (self.text[start : start + SHORT], 0)
        try:
            value, end = self.decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            reached = len(text) if error.msg.startswith("Unterminated") else error.pos
            self.patience -= max(reached - at, len(text) // 64 + 1)
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of open brackets
            self.patience -= DEPTH_COST
        else:
            return value, end - at + start
        return None

    def _broken_object(self, start: int) -> tuple[Any, int]:
        """Return what the piece that begins at `start` holds, up to the brace that ends it or begins the next one."""
        flat = _FLAT.match(self.text, start)
        if flat is not None:
            return _object(_pairs(flat[0])), flat.end()
        end = self._piece_end(_BRACE, start)
        piece = self.text[start:end]
        cut_off = end == len(self.text)
        closed = end + 1 if not cut_off and self.text[end] == "}" else end
        if closed == end and not cut_off:
            piece = _NAME_AT_END.sub("", piece)  # the name of what the next brace begins
        pieces = _split_at_repeated_key(piece)
        parts = [_repair(part, cut_off=cut_off and part is pieces[-1]) for part in pieces]
        objects = [part for part in parts if part]
        if not objects:
            return None, closed
        return (objects[0] if len(objects) == 1 else objects), closed

    def _broken_array(self, start: int) -> tuple[Any, int]:
        """Return the strings of the innermost array that begins at `start`."""
        end = self._piece_end(_BRACKET, start + 1)
        if end < len(self.text) and self.text[end] not in "])":
            return None, start + 1
        strings = [_string(match[0]) for match in _COMPLETE_STRING.finditer(self.text, start + 1, end)]
        cut_off = end == len(self.text)
        if cut_off and len(strings) < 2:
            strings = []
        return (strings or None), min(end + 1, len(self.text))

    def _piece_end(self, bracket: re.Pattern[str], since: int) -> int:
        """Return where the next bracket stands that is not a word between quotation marks, or the text's end."""
        found = bracket.search(self.text, since)
        while found is not None and _QUOTED_BRACE.match(self.text, found.start() - 1):
            found = bracket.search(self.text, found.end())
        return found.start() if found else len(self.text)


def _repair(piece: str, *, cut_off: bool) -> dict[str, Any] | None:
    """Return the object of a piece of text between braces; None where it holds no `key: value`.

    Of a piece that is cut off, only complete pairs are taken; a text whose label is lost is no item.
    """
    if not _HAS_PAIR.search(piece):
        return None
    for pattern, better in _MENDS:
        piece = pattern.sub(better, piece)
    if cut_off or len(piece) > LONGEST_PIECE or piece.count("[") > MOST_BRACKETS:
        pairs = dict(_pairs(piece))
        names = {plain_key(key) for key in pairs}
        unfinished = cut_off and names.intersection(TEXT_KEYS) and not names.intersection(LABEL_KEYS)
        return None if unfinished or not pairs else pairs
    try:
        value = json_repair.loads("{" + piece.strip().strip(",，") + "}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def _pairs(piece: str) -> list[tuple[str, Any]]:
    """Return the complete pairs of a piece."""
    return [(_string(match[1]), _value(match[2])) for match in _PAIR.finditer(piece)]


def _split_at_repeated_key(piece: str) -> list[str]:
    """Return a piece in parts where its first key comes again: the braces between two items are missing."""
    first = re.match(rf"\s{{0,20}}({_KEY})\s{{0,8}}[:：=]", piece)
    if first is None or piece.count(first[1]) < 2:
        return [piece]
    again = re.compile(rf"(?<=[,，\s\[]){re.escape(first[1])}\s{{0,8}}[:：=]")
    starts = [0, *(match.start() for match in again.finditer(piece, first.end()))]
    parts = [piece[start:end] for start, end in zip(starts, [*starts[1:], len(piece)], strict=True)]
    return [*(part.rstrip("[], \n") for part in parts[:-1]), parts[-1]]


def _object(pairs: list[tuple[str, Any]]) -> Any:
    """Return an object, or several where a key comes again: `{"word": "a", "pos": "b", "word": "c", "pos": "d"}`."""
    objects: list[dict[str, Any]] = [{}]
    for key, value in pairs:
        if key in objects[-1]:
            objects.append({})
        objects[-1][key] = value
    return objects[0] if len(objects) == 1 else objects


def _value(text: str) -> Any:
    if text.startswith("["):
        return [_string(match[0]) for match in _COMPLETE_STRING.finditer(text)]
    return None if text in ("null", "None") else _string(text)


def _string(text: str) -> str:
    """Return the string of a literal: without its quotation marks and escapes."""
    if len(text) < 2 or text[0] not in "\"'“‘「" or text[-1] not in "\"'”’」":
        return text.strip("\"'“”‘’「」 ")
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    escaped = inner.replace("\\'", "'") if text[0] == "'" else inner
    try:
        value = json.loads('"' + re.sub(r'(?<!\\)"', r"\"", escaped) + '"', strict=False)
    except ValueError:
        return inner.replace("\\", "")
    return str(value)
