"""Tuples as candidates: `[('北京', '地名'), …]`, `(Ann Lee, PER), (Oslo, LOC)` and `（北京，地名）、（上海，地名）`."""

from __future__ import annotations

import re

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.text_forms.decoration import SPACES_BEFORE, without_quotes
from utils.parsing.text_forms.label_lists import is_label

_PLAIN = r"[^()（）\[\]<>{}【】\n]{1,200}"
_TUPLE = re.compile(rf"[(（\[<{{【]\s{{0,8}}({_PLAIN})\s{{0,8}}[)）\]>}}】]")
_BETWEEN = re.compile(r"[\s,，、;；.。]{0,8}(?:\d{1,3}[.)]\s|[-*•]\s|and\s|和)?\s{0,4}")
_BEFORE = re.compile(r"(?:[^()（）\[\]<>{}【】\n:：=]{0,60}[:：=]\s{0,4})?(?:[\[{]\s{0,4}(?=[(（\[<【]))?")
_PARTS = re.compile(rf"{SPACES_BEFORE}[,，;；|、]\s*")
_COLON = re.compile(rf"{SPACES_BEFORE}[:：]\s+|：|:(?!\d)|(?<!\s)\s+[-/]\s+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?%?")


def read_tuples(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of a line that holds nothing but tuples of a text and a label; [] for other lines."""
    if line.rstrip(" .。,，;；")[-1:] not in tuple(")）]>}】"):
        return []
    before = _BEFORE.match(line)
    position = before.end() if before else 0
    if is_label(line[:position].strip(" :：=[{")):  # LOC: [Oslo, Rome]
        return []
    found: list[list[str]] = []
    while match := _TUPLE.match(line, position):
        parts = _parts(match[1], context)
        if len(parts) < 2:
            return []
        found.append(parts)
        between = _BETWEEN.match(line, match.end())
        position = between.end() if between else match.end()
    if not found or line[position:].strip(" ]}.。,，;；"):
        return _in_prose(line, context)
    if all(context.contains(part) for parts in found for part in parts):
        return [ItemCandidate(part, "", kind="bare") for parts in found for part in parts]
    return [ItemCandidate(parts[0], parts[1], kind="pair") for parts in found]


def _in_prose(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of tuples between other words: those of a text of the sentence and another string."""
    pairs = [_parts(match[1], context) for match in _TUPLE.finditer(line)] if context.sentence is not None else []
    return [
        ItemCandidate(parts[0], parts[1], kind="pair")
        for parts in pairs
        if len(parts) == 2 and context.contains(parts[0]) != context.contains(parts[1])
    ]


def _parts(content: str, context: Context) -> list[str]:
    """Return the text and the label in a tuple, without numbers at its end; a text may contain a comma."""
    parts = [without_quotes(part) for part in _PARTS.split(content)]
    if len(parts) == 1:
        parts = [without_quotes(part) for part in _COLON.split(content)]
    if all(map(_NUMBER.fullmatch, parts)):
        return []
    while len(parts) > 2 and _NUMBER.fullmatch(parts[-1]):
        parts.pop()
    if len(parts) > 2 and context.contains(text := ", ".join(parts[:-1])):  # (Oslo, Norway, LOC)
        return [text, parts[-1]]
    return [part for part in parts if part]
