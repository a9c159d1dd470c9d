"""Answers that are not JSON as candidates: bullet lists, `word: POS` lines, tagged words, and more.

Every pattern is bounded, so the time grows linearly with the length of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from utils.parsing.decoration import BULLET, NOISE, without_decoration, without_quotes
from utils.parsing.item import NOTHING, ItemCandidate
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, plain_key
from utils.parsing.markup import read_elements
from utils.parsing.tables import has_ruler, read_rows, split_columns

MAX_LINE = 2000  # characters; a longer line is prose, or one line of tagged words
MAX_PART = 120  # characters of a text or label
MAX_LABEL = 40  # characters of the shorter part

_PARENS = re.compile(r"(.{1,120}?)\s{0,4}[（(【\[]([^（()）【】\[\]]{1,40})[)）】\]]\s{0,4}[，,;；、。.]?$")
_SEPARATORS = ("\t", "→", "->", "=>", "：", ":", " — ", " – ", " - ", "——", " = ", "=")
_TAGGED = re.compile(
    r"(\S{1,60})[/_|\\]([A-Za-z][\w.$*-]{0,19}|-\w{2,4}-|[^\w\s/]{1,2}|[\u3040-\u9fff\uac00-\ud7a3]{1,8})[,，、]?$"
)
_TAGGED_PARENS = re.compile(r"([^\s()（）]{1,60})[（(]([\w.$-]{1,20})[)）][,，、]?$")
_ENDS_SENTENCE = re.compile(r"[。！？!?；;]\s*\S|\w{4}\.\s+\S")
_SHORT_PAIR = re.compile(r"([^：:]{1,30})[：:]([^：:]{1,30})$")
_LIST = re.compile(r"\s*[、，,;；]\s*")
_FIELD = re.compile(r"\s*[，,;；\t]\s*(?=[^，,;；：:]{1,20}[：:])")


def read_lines(text: str) -> list[ItemCandidate]:
    """Return the candidates of a text without JSON, or [] if it does not look like a list of items."""
    elements = list(read_elements(text))
    if elements:
        return elements
    all_lines = text.splitlines()
    lines = [line for line in all_lines if not NOISE.match(line[:MAX_LINE])]
    bullets = [line for line in lines if BULLET.match(line[:60])]
    found = read_rows(lines, min_bars=1 if has_ruler(all_lines) else 2) or _read_named(lines)
    return found or _read_each(bullets) or _read_each(lines) or _read_columns(lines)


def read_line(line: str) -> list[ItemCandidate]:
    """Return the candidates of one line: tagged words, a text and its label, or a label and its texts."""
    plain = without_decoration(line)
    tagged = _read_tagged(plain)
    if tagged or len(plain) > MAX_LINE:
        return tagged
    return _read_fields(plain) or _read_listed(plain) or _read_pair(plain)


def _read_each(lines: Sequence[str]) -> list[ItemCandidate]:
    """Return the candidates of all lines if at least half of the lines that may hold items can be read."""
    possible = [line for line in lines if not line.rstrip().endswith((":", "："))]
    found = [candidates for line in possible if (candidates := read_line(line)) or _says_nothing(line)]
    if 2 * len(found) < len(possible):
        return []
    if any(len(candidates) != 1 and all(one.kind == "pair" for one in candidates) for candidates in found):
        found = [[one.swapped() for one in pair] if len(pair) == 1 else pair for pair in found]  # all `label: texts`
    return [candidate for candidates in found for candidate in candidates]


def _read_named(lines: Sequence[str]) -> list[ItemCandidate]:
    """Return the items of lines that name their part: `entity: 北京`, followed by `type: 地名`."""
    candidates: list[ItemCandidate] = []
    text = ""
    for line in lines:
        name, value = _split_field(without_decoration(line[:MAX_LINE]))
        if plain_key(name) in TEXT_KEYS:
            text = value
        elif plain_key(name) in LABEL_KEYS and text and value:
            candidates.append(ItemCandidate(text, value))
            text = ""
    return candidates


def _read_tagged(line: str) -> list[ItemCandidate]:
    """Return the words of `北京/ns 大学/n` if most words of the line have a tag."""
    words = (line[1:-1] if line[:1] == "[" and line[-1:] == "]" else line).split()
    matches = [match for word in words if (match := _TAGGED.match(word) or _TAGGED_PARENS.match(word))]
    if "://" in line and len(words) == 1:
        return []
    candidates = [ItemCandidate(without_quotes(match[1]), match[2]) for match in matches]
    return candidates if 2 * len(matches) > len(words) else []


def _read_fields(line: str) -> list[ItemCandidate]:
    """Return the item of `实体：北京，类型：地名`."""
    fields = dict(_split_field(field) for field in _FIELD.split(line))
    named = {plain_key(key): value for key, value in fields.items() if value}
    text = next((named[key] for key in TEXT_KEYS if key in named), None)
    label = next((named[key] for key in LABEL_KEYS if key in named), None)
    return [ItemCandidate(text, label)] if text and label else []


def _read_listed(line: str) -> list[ItemCandidate]:
    """Return the candidates of `北京（地名）、上海（地名）` and of `北京：地名，上海：地名`."""
    parts = _LIST.split(line)
    matches = [_PARENS.match(part) or _SHORT_PAIR.match(part) for part in parts]
    if len(parts) < 2 or not all(matches):
        return []
    return [candidate for match in matches if match for candidate in _pair(match[1], match[2])]


def _split_field(field: str) -> tuple[str, str]:
    key, _, value = field.replace("：", ":").partition(":")
    return key, without_quotes(value)


def _read_pair(line: str) -> list[ItemCandidate]:
    """Return the candidate of `北京: 地名` or `北京（地名）`, or those of `地名: 北京、上海`."""
    parens = _PARENS.match(line)
    if parens and not any(separator in line for separator in ("：", ": ", "\t")):
        return _pair(*parens.groups())
    for separator in _SEPARATORS:
        text, found, label = line.rpartition(separator)
        if found and text.strip() and label.strip() and not label.startswith("//"):
            return _pair(text, label)
    return []


def _pair(left: str, right: str) -> list[ItemCandidate]:
    left, right = without_quotes(left), without_quotes(right)
    if not left or not right or right.casefold() in NOTHING:
        return []
    if max(len(left), len(right)) > MAX_PART or min(len(left), len(right)) > MAX_LABEL:
        return []
    if _ENDS_SENTENCE.search(left) or _ENDS_SENTENCE.search(right):
        return []
    if plain_key(left) in TEXT_KEYS and plain_key(right) in LABEL_KEYS:  # the head of a table
        return []
    parts = [part for part in map(without_quotes, _LIST.split(right)) if part]
    if len(parts) > 1:
        return [ItemCandidate(part, left, kind="pair") for part in parts]
    return [ItemCandidate(left, right, kind="pair")]


def _read_columns(lines: Sequence[str]) -> list[ItemCandidate]:
    return [candidate for row in split_columns(lines) for candidate in _pair(*row)]


def _says_nothing(line: str) -> bool:
    """Return whether a line is `地点：无`."""
    values = (without_decoration(line).rpartition(colon)[2] for colon in ("：", ":"))
    return any(without_quotes(value).casefold() in NOTHING for value in values)
