"""Broken JSON as values: each piece between two braces is repaired alone, so one mistake costs at most one item."""

from __future__ import annotations

import json
import re
from typing import Any

import json_repair

from utils.parsing.json_forms.backslashes import escape_unknown
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, plain_key

MAX_PIECE = 400  # characters; of a longer broken piece, only the complete pairs are taken
MAX_OPEN_BRACKETS = 4  # in a piece that is repaired; the time of json_repair grows exponentially with them

_BRACE = re.compile(r"[{}]")
_BRACKET = re.compile(r"[\[\](){}]")
_QUOTED_BRACE = re.compile(r"""["'“‘「][\[\](){}]["'”’」]""")
NAME = r"""["'“]([^"'“”\[\]{}\n]{1,60})["'”]\s{0,4}[:：=]"""
_NAME_AT_END = re.compile(rf"[\s,，]{{0,8}}{NAME}\s{{0,8}}\[?\s{{0,8}}$")
_HAS_PAIR = re.compile(r"""[:：=]|["'”’]\s{0,4}["'“‘]""")
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|“[^“”\n]*”)"""
_KEY = r"""(?:["'“‘]?[^"'“”‘’\[\]{}:：=,，\s]{1,60}["'”’]?|"[^"\n]{1,120}"|'[^'\n]{1,120}')"""
_STRINGS = rf"\[(?:\s{{0,8}}{_STRING}\s{{0,8}},?)*\s{{0,8}}\]?"
_VALUE = rf"""(?:{_STRING}|{_STRINGS}|[^\s"'“‘\[\]{{}},，]{{1,120}}(?=\s{{0,8}}[,，}}]))"""
_PAIR = re.compile(rf"({_KEY})\s{{0,8}}[:：=]\s{{0,8}}({_VALUE})")
_COMPLETE_STRING = re.compile(_STRING)
# A flat object where only the quotation marks are not those of JSON: a brace inside a string does not end it.
_SHORT_STRING = r"""(?:"(?:[^"\\\n]|\\.){0,400}"|'(?:[^'\\\n]|\\.){0,400}')"""
_FLAT = re.compile(
    rf"(?:\s{{0,20}}{_SHORT_STRING}\s{{0,8}}:\s{{0,8}}(?:{_SHORT_STRING}|[\w.+-]{{1,40}})\s{{0,8}}(?:,|(?=\}})))+\s{{0,20}}\}}"
)

# A flat object without any quotation mark; a key may have spaces: {Ann Lee: PER}
_UNQUOTED_PAIR = r"""[^"'“”‘’「」{}\[\]:：=,，\n]{1,60}[:：][^"'“”‘’「」{}\[\]:：=,，\n]{1,60}"""
_UNQUOTED = re.compile(rf"((?:{_UNQUOTED_PAIR}[,，]){{0,200}}{_UNQUOTED_PAIR}[,，]?\s{{0,8}})\}}")

# Forms that json_repair would misread, and their replacements.
_REPLACEMENTS = (
    (re.compile(r"""(["'”’])\s{0,8}：\s{0,8}|\s{0,8}：\s{0,8}(?=["'“‘])"""), r"\1:"),
    (re.compile(r"""(["'”’\w])\s{0,8}，\s{0,8}(?=["'“‘]?[^"'“”‘’:：,，\s]{1,40}["'”’]?\s{0,8}:)"""), r"\1,"),
    (re.compile(r"""(["'\w])\s{0,8}=>?\s{0,8}(?=["'“‘])"""), r"\1:"),
    (re.compile(r'"""(?=\s{0,8}(?:[,}:\]]|$))'), r'"\""'),
    (re.compile(r"'''(?=\s{0,8}(?:[,}:\]]|$))"), '"\'"'),
    (re.compile(r'([:,\[]\s{0,8})"\\"(?=\s{0,8}[,}\]])'), r'\1"\\\\"'),
    (re.compile(r'(?<!\\)\\"(?=\s{0,8}(?:,\s{0,8}"[^"\n]{1,40}"\s{0,8}:|$))'), r'\\\\"'),
)


def read_broken_object(text: str, start: int) -> tuple[Any, int]:
    """Return the object in the piece from `start` to the next brace (None if it has no pair), and where to continue."""
    flat = _FLAT.match(text, start)
    if flat is not None:
        return as_object(_pairs(flat[0])), flat.end()
    if (unquoted := _UNQUOTED.match(text, start)) is not None:
        pairs = [pair.replace("：", ":").partition(":") for pair in re.split("[,，]", unquoted[1])]
        return as_object([(key.strip(), value.strip()) for key, _, value in pairs if key.strip()]), unquoted.end()
    end = _piece_end(text, _BRACE, start)
    piece = text[start:end]
    cut_off = end == len(text)
    closed = end + 1 if not cut_off and text[end] == "}" else end
    if closed == end and not cut_off:
        piece = _NAME_AT_END.sub("", piece)  # the name of the value that the next brace begins
    pieces = _split_at_repeated_key(piece)
    parts = [_repair(part, cut_off=cut_off and part is pieces[-1]) for part in pieces]
    objects = [part for part in parts if part]
    if not objects:
        return None, closed
    return (objects[0] if len(objects) == 1 else objects), closed


def read_broken_array(text: str, start: int) -> tuple[Any, int]:
    """Return the strings of the innermost array that begins at `start` (None if it has none), and where to continue."""
    end = _piece_end(text, _BRACKET, start + 1)
    if end < len(text) and text[end] not in "])":
        return None, start + 1
    strings = [literal_text(match[0]) for match in _COMPLETE_STRING.finditer(text, start + 1, end)]
    cut_off = end == len(text)
    if cut_off and len(strings) < 2:
        strings = []
    return (strings or None), min(end + 1, len(text))


def as_object(pairs: list[tuple[str, Any]]) -> Any:
    """Return an object, or several if a key is repeated: `{"word": "a", "pos": "b", "word": "c", "pos": "d"}`."""
    objects: list[dict[str, Any]] = [{}]
    for key, value in pairs:
        if key in objects[-1]:
            objects.append({})
        objects[-1][key] = value
    return objects[0] if len(objects) == 1 else objects


def _piece_end(text: str, bracket: re.Pattern[str], start: int) -> int:
    """Return the position of the next bracket that is not a quoted word, or the length of the text."""
    found = bracket.search(text, start)
    while found is not None and _QUOTED_BRACE.match(text, found.start() - 1):
        found = bracket.search(text, found.end())
    return found.start() if found else len(text)


def _repair(piece: str, *, cut_off: bool) -> dict[str, Any] | None:
    """Return the object of a piece of text between braces, or None if it has no `key: value`.

    Of a piece that is cut off, only complete pairs are taken. A text without its label is not returned then.
    """
    if not _HAS_PAIR.search(piece):
        return None
    for pattern, better in _REPLACEMENTS:
        piece = pattern.sub(better, piece)
    if cut_off or len(piece) > MAX_PIECE or piece.count("[") > MAX_OPEN_BRACKETS:
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
    return [(literal_text(match[1]), _value(match[2])) for match in _PAIR.finditer(piece)]


def _split_at_repeated_key(piece: str) -> list[str]:
    """Return a piece split where its first key is repeated, because the braces between two items are missing."""
    first = re.match(rf"\s{{0,20}}({_KEY})\s{{0,8}}[:：=]", piece)
    if first is None or piece.count(first[1]) < 2:
        return [piece]
    again = re.compile(rf"(?<=[,，\s\[]){re.escape(first[1])}\s{{0,8}}[:：=]")
    starts = [0, *(match.start() for match in again.finditer(piece, first.end()))]
    parts = [piece[start:end] for start, end in zip(starts, [*starts[1:], len(piece)], strict=True)]
    return [*(part.rstrip("[], \n") for part in parts[:-1]), parts[-1]]


def _value(text: str) -> Any:
    if text.startswith("["):
        return [literal_text(match[0]) for match in _COMPLETE_STRING.finditer(text)]
    return None if text in ("null", "None") else literal_text(text)


def literal_text(text: str) -> str:
    """Return the text of a string literal, without its quotation marks and escapes."""
    if len(text) < 2 or text[0] not in "\"'“‘「" or text[-1] not in "\"'”’」":
        return text.strip("\"'“”‘’「」 ")
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    escaped = escape_unknown(inner).replace("\\'", "'")
    try:
        value = json.loads('"' + re.sub(r'(?<!\\)"', r"\"", escaped) + '"', strict=False)
    except ValueError:
        return inner
    return str(value)
