"""One piece of broken JSON between two braces as an object: by json_repair, or its complete pairs alone."""

from __future__ import annotations

import re
from typing import Any

import json_repair

from utils.parsing.json_forms.literals import STRING, complete_strings, literal_text
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, plain_key

MAX_PIECE = 400  # characters; of a longer broken piece, only the complete pairs are taken
MAX_OPEN_BRACKETS = 4  # in a piece that is repaired; the time of json_repair grows exponentially with them

_HAS_PAIR = re.compile(r"""[:：=]|["'”’]\s{0,4}["'“‘]""")
_KEY = r"""(?:["'“‘]?[^"'“”‘’\[\]{}:：=,，\s]{1,60}["'”’]?|"[^"\n]{1,120}"|'[^'\n]{1,120}')"""
_STRINGS = rf"\[(?:\s{{0,8}}{STRING}\s{{0,8}},?)*\s{{0,8}}\]?"
_VALUE = rf"""(?:{STRING}|{_STRINGS}|[^\s"'“‘\[\]{{}},，]{{1,120}}(?=\s{{0,8}}[,，}}]))"""
_PAIR = re.compile(rf"({_KEY})\s{{0,8}}[:：=]\s{{0,8}}({_VALUE})")

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


def as_object(pairs: list[tuple[str, Any]]) -> Any:
    """Return an object, or several if a key is repeated: `{"word": "a", "pos": "b", "word": "c", "pos": "d"}`."""
    objects: list[dict[str, Any]] = [{}]
    for key, value in pairs:
        if key in objects[-1]:
            objects.append({})
        objects[-1][key] = value
    return objects[0] if len(objects) == 1 else objects


def repair(piece: str, *, cut_off: bool) -> dict[str, Any] | None:
    """Return the object of a piece of text between braces, or None if it has no `key: value`.

    Of a piece that is cut off, only complete pairs are taken. A text without its label is not returned then.
    """
    if not _HAS_PAIR.search(piece):
        return None
    for pattern, better in _REPLACEMENTS:
        piece = pattern.sub(better, piece)
    if cut_off or len(piece) > MAX_PIECE or piece.count("[") > MAX_OPEN_BRACKETS:
        pairs = dict(complete_pairs(piece))
        names = {plain_key(key) for key in pairs}
        unfinished = cut_off and names.intersection(TEXT_KEYS) and not names.intersection(LABEL_KEYS)
        return None if unfinished or not pairs else pairs
    try:
        value = json_repair.loads("{" + piece.strip().strip(",，") + "}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def complete_pairs(piece: str) -> list[tuple[str, Any]]:
    """Return the complete pairs of a piece."""
    return [(literal_text(match[1]), _value(match[2])) for match in _PAIR.finditer(piece)]


def split_at_repeated_key(piece: str) -> list[str]:
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
        return list(complete_strings(text, 0, len(text)))
    return None if text in ("null", "None") else literal_text(text)
