"""Answers that are not JSON as candidates: bullet lists, `word: POS` lines, tagged words, and more.

Every pattern is bounded, so the time grows linearly with the length of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate, in_one_order
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, plain_key
from utils.parsing.nothing import is_none, is_unknown, states_nothing
from utils.parsing.text_forms.decoration import (
    BULLET,
    SPACES_BEFORE,
    is_noise,
    split_list,
    split_texts,
    without_decoration,
    without_quotes,
    without_remark,
)
from utils.parsing.text_forms.label_lists import array_texts, is_label
from utils.parsing.text_forms.markup import read_elements, read_links
from utils.parsing.text_forms.sections import read_sections
from utils.parsing.text_forms.tables import has_ruler, read_rows, split_columns
from utils.parsing.text_forms.tuples import read_tuples

MAX_LINE = 10_000  # characters; of a longer line, only tuples and tagged words are read
MAX_PART = 120  # characters of a text or label
MAX_SEPARATORS = 8  # of one kind that are tried in a line
MAX_LABEL = 40  # characters of the shorter part

_PARENS = re.compile(r"(.{1,120}?)\s{0,4}[（(【\[]([^（()）【】\[\]]{1,40})[)）】\]]\s{0,4}[，,;；、。.]?$")
_SEPARATORS = ("\t", "→", "->", "=>", "：", ":", " — ", " – ", " - ", " | ", "——", " = ", "=")
_TAGGED = re.compile(
    r"(\S{1,60})[/_|\\]([A-Za-z][\w.$*-]{0,19}|-\w{2,4}-|[^\w\s/]{1,2}|[\u3040-\u9fff\uac00-\ud7a3]{1,8})[,，、]?$"
)
_TAGGED_PARENS = re.compile(r"([^\s()（）]{1,60})[（(]([\w.$-]{1,20})[)）][,，、]?$")
_ENDS_SENTENCE = re.compile(r"[。！？!?；;]\s*\S|\w{4}\.\s+\S")
_SHORT_PAIR = re.compile(r"([^：:]{1,30})[：:]([^：:]{1,30})$")
_COUNT = re.compile(rf"{SPACES_BEFORE}[(（]\d{{1,4}}[)）]\s*$")  # PER (2)
_LIST = re.compile(rf"{SPACES_BEFORE}[、，,;；]\s*")
_LABEL_ARRAY = re.compile(
    r"([^\[\](){}（）]{1,60}?)\s{0,4}(?:[:：]|=>?|->|→)\s{0,4}([\[{(（].*[\]})）])\s{0,4}[.。,，;；]?$"
)
_NAME_FOLLOWS = r"\s*(?=[^，,;；：:|]{1,20}[：:])"
_FIELD = re.compile(rf"{SPACES_BEFORE}[，,;；|]{_NAME_FOLLOWS}|(?<!\s)[^\S\t]*\t{_NAME_FOLLOWS}")


def read_lines(text: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of a text without JSON, or [] if it does not look like a list of items."""
    elements = list(read_elements(text, context)) or read_links(text, context)
    if elements or say_nothing(text):
        return elements
    all_lines = text.splitlines()
    lines = [line for line in all_lines if not is_noise(line[:MAX_LINE])]
    bullets = [line for line in lines if BULLET.match(line[:60])]
    found = read_rows(lines, context, min_bars=1 if has_ruler(all_lines) else 2) or _read_named(lines)
    found = found or _read_each(bullets, context) or _read_each(lines, context) or _read_columns(lines, context)
    return read_sections(lines, context, found) or found or _read_bare(bullets or lines, context)


def read_line(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of one line: tagged words, a text and its label, or a label and its texts."""
    plain = without_decoration(line)
    found = read_tuples(plain, context) or _read_tagged(plain)
    if found or len(plain) > MAX_LINE:
        return found
    found = _read_fields(plain)
    found = found or _read_fields_of_labels(plain, context) or _read_listed(plain, context)
    return found or _read_pair(plain, context)


def _read_each(lines: Sequence[str], context: Context) -> list[ItemCandidate]:
    """Return the candidates of all lines if at least half of the lines that may hold items can be read."""
    possible = [line for line in lines if not line.rstrip().endswith((":", "："))]
    found = [candidates for line in possible if (candidates := read_line(line, context)) or _says_nothing(line)]
    if 2 * len(found) < len(possible):
        return []
    candidates = [candidate for candidates in found for candidate in candidates]
    return in_one_order(candidates, labels_first=not all(found))  # a line without candidates is `地点：无`


def _read_bare(lines: Sequence[str], context: Context) -> list[ItemCandidate]:
    """Return the texts of lines without labels, if the sentence contains all of them."""
    texts = [text for line in lines for text in split_list(without_decoration(line))]
    return [ItemCandidate(text, "", kind="bare") for text in texts] if all(map(context.contains, texts)) else []


def _read_named(lines: Sequence[str]) -> list[ItemCandidate]:
    """Return the items of lines that name their part: `entity: 北京`, followed by `type: 地名`."""
    candidates: list[ItemCandidate] = []
    text = label = ""
    for line in lines:
        name, value = _split_field(without_decoration(line[:MAX_LINE]))
        if plain_key(name) in TEXT_KEYS:
            text = value
        elif plain_key(name) in LABEL_KEYS:
            label = value
        if text and label:
            candidates.append(ItemCandidate(text, label))
            text = label = ""
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


def _read_listed(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of `北京（地名）、上海（地名）` and of `北京：地名，上海：地名`."""
    parts = _LIST.split(line)
    matches = [_PARENS.match(part) or _SHORT_PAIR.match(part) for part in parts]
    if len(parts) < 2 or not all(matches):
        return []
    return [candidate for match in matches if match for candidate in _pair(match[1], match[2], context)]


def _split_field(field: str) -> tuple[str, str]:
    key, _, value = field.replace("：", ":").partition(":")
    return key, without_quotes(value)


def _read_fields_of_labels(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of `PER: Ann Lee, Bob; LOC: Oslo`, or [] for a line with fewer fields."""
    fields = _FIELD.split(line) if line.count(":") + line.count("：") > 1 else []
    if len(fields) < 2 or not all(map(_is_field, fields)):
        return []
    found = [_read_pair(field, context) for field in fields]
    if not all(candidates or _says_nothing(field) for candidates, field in zip(found, fields, strict=True)):
        return []
    candidates = [candidate for candidates in found for candidate in candidates]
    return in_one_order(candidates, labels_first=not all(found))


def _is_field(field: str) -> bool:
    key, colon, _ = field.replace("：", ":").partition(":")
    return bool(colon) and is_label(key)


def _read_pair(line: str, context: Context) -> list[ItemCandidate]:
    """Return the candidate of `北京: 地名` or `北京（地名）`, or those of `地名: 北京、上海`."""
    array = _LABEL_ARRAY.match(line)
    texts = array_texts(array[2]) if array and is_label(array[1]) else None
    if array and texts is not None:
        return [
            ItemCandidate(text, without_quotes(array[1]), kind="listed") for text in texts if not states_nothing(text)
        ]
    parens = _PARENS.match(line)
    if parens and not any(separator in line for separator in ("：", ": ", "\t")):
        return _pair(parens[1], parens[2], context)
    for separator in _SEPARATORS:
        text, label = _halves(line, separator, context)
        if text.strip() and label.strip() and not label.startswith("//"):
            return _pair(text, label, context)
    return []


def _halves(line: str, separator: str, context: Context) -> tuple[str, str]:
    """Return a line in two parts: at a separator beside a text of the sentence, else at the last one.

    A colon between digits (10:30) separates only if there is no other one.
    """
    pieces = line.split(separator)
    cuts = range(len(pieces) - 1, 0, -1)
    halves = [(separator.join(pieces[:cut]), separator.join(pieces[cut:])) for cut in cuts[:MAX_SEPARATORS]]
    halves = [(left, right) for left, right in halves if not (left[-1:].isdigit() and right[:1].isdigit())] or halves
    beside_text = [(_contained(half, context), half) for half in halves]
    if beside_text and max(beside_text)[0]:
        return max(beside_text, key=lambda one: one[0])[1]
    lists = (half for half in halves if context.sentence and all(map(context.contains, split_list(half[1]))))
    return next(lists, halves[0] if halves else ("", ""))


def _contained(halves: tuple[str, str], context: Context) -> int:
    """Return the length of the longest half that the sentence contains, 0 for none."""
    return max((len(half) for half in halves if context.contains(without_quotes(half))), default=0)


def _pair(left: str, right: str, context: Context) -> list[ItemCandidate]:
    parts = split_texts(right.strip(), context, named=False)
    if len(parts) == 1 and not context.contains(right):
        parts = split_list(right)
    left, right = without_quotes(_COUNT.sub("", left)), without_quotes(right)
    if not left or not right or is_none(right) or is_unknown(right):
        return []
    longest = max(map(len, (left, *parts)))
    if longest > (MAX_PART if len(right) <= MAX_PART else MAX_LABEL) or min(len(left), len(right)) > MAX_LABEL:
        return []
    if _ENDS_SENTENCE.search(left) or any(map(_ENDS_SENTENCE.search, parts)):
        return []
    if plain_key(left) in TEXT_KEYS and plain_key(right) in LABEL_KEYS:  # the head of a table
        return []
    if len(parts) > 1:
        return [ItemCandidate(without_remark(part, context), left, kind="listed") for part in parts]
    return [ItemCandidate(without_remark(left, context), without_remark(right, context), kind="pair")]


def say_nothing(text: str) -> bool:
    """Return whether every line of a text says that there is nothing, or is a heading: `人名：`, then `- 无`."""
    lines = [line for line in text.splitlines() if not is_noise(line[:MAX_LINE])]
    values = [line for line in lines if not line.rstrip().endswith((":", "："))]
    return bool(values) and all(len(line) <= MAX_LINE and _says_nothing(line) for line in values)


def _read_columns(lines: Sequence[str], context: Context) -> list[ItemCandidate]:
    return [candidate for left, right in split_columns(lines) for candidate in _pair(left, right, context)]


def _says_nothing(line: str) -> bool:
    """Return whether a line is `地点：无` or `LOC: []`."""
    plain = without_decoration(line)
    values = [plain.rpartition(separator)[2].strip() for separator in ("：", ":", "=")]
    return any(value in ("[]", "{}", "()") or is_none(value) or is_unknown(value) for value in values)
