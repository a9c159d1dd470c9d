"""Lists under their label: bullets or lines under the headings `Disease:`, `**Person**`, `### 地名`, `【人名】`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.nothing import states_nothing
from utils.parsing.text_forms.decoration import (
    BULLET,
    REMARK,
    SPACES_BEFORE,
    split_texts,
    without_decoration,
    without_quotes,
    without_remark,
)
from utils.parsing.text_forms.label_lists import array_texts, is_label

MAX_TEXT = 120  # characters

_HEADING = re.compile(
    r"\s{0,3}#{1,6}\s+(.{1,80})$|\s{0,8}(?:\d{1,2}[.)]\s|[-*•]\s)?\s{0,4}\*\*(.{1,60}?)\*\*\s{0,4}[:：]?\s*$"
)
_INLINE = re.compile(r"\s{0,3}([^\n:：]{1,60})[:：]\s{0,4}(?:\*\*|__)?\s{0,4}([^\s:：][^:：]{0,200})$")  # **LOC**: Oslo
_COLON = re.compile(r"(.{1,60}?)\s{0,4}[:：]\s{0,4}(?:\*\*|__)?\s*$")
_IN_BRACKETS = re.compile(r"""\s{0,8}[【\[<《]([^【】\[\]<>《》"'“”,，]{1,40})[】\]>》]\s{0,4}[:：]?\s*$""")
_COUNT = re.compile(
    rf"{SPACES_BEFORE}[(（]\s{{0,4}}(?:\d{{1,4}}|[A-Za-z]{{1,12}})\s{{0,4}}[)）]\s*$"
)  # Person (2), 人名（PER）
_COLONS = re.compile("[:：]")
_NUMBER = re.compile(r"[一二三四五六七八九十]{1,3}[、.．]\s*")
_ENDS_SENTENCE = re.compile(r"[。！？!?]\s*$|\w{4}\.\s*$")


@dataclass(frozen=True)
class _Section:
    label: str  # "" for a heading that only introduces items
    lines: list[str]


def read_sections(lines: Sequence[str], context: Context, others: Sequence[ItemCandidate]) -> list[ItemCandidate]:
    """Return the candidates of texts under their labels, or [] if no label has texts.

    `others` are the candidates of the lines alone: they are the better reading if only one label has texts, and all
    its lines have labels of their own.
    """
    sections = [section for section in _sections(lines) if section.lines]
    labelled = [section for section in sections if section.label]
    if not labelled or sum(len(section.lines) for section in labelled) < len(lines) / 3:
        return []
    if len(labelled) == 1 and len(others) >= len(labelled[0].lines) and not _are_texts(labelled[0], context):
        return []
    return [
        ItemCandidate(text, section.label, kind="listed")
        for section in labelled
        for line in section.lines
        for text in _texts(line, context)
    ]


def _sections(lines: Sequence[str]) -> list[_Section]:
    """Return the sections of an answer; of one with bullets, only the bullets."""
    sections = [_Section("", [])]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        heading = _heading(line, following)
        can_be_inline = heading is None and sections[-1].label and not BULLET.match(line[:60])
        inline = _INLINE.match(line) if can_be_inline else None
        if inline and is_label(inline[1]):
            sections.append(_Section(without_decoration(inline[1]), [inline[2]]))
        elif heading is None:
            sections[-1].lines.append(line)
        else:
            sections.append(_Section(heading if is_label(heading) else "", []))
    return [_Section(section.label, _items(section.lines)) for section in sections]


def _heading(line: str, following: str) -> str | None:
    """Return the words of a heading, or None for another line."""
    match = _HEADING.match(line) or (_IN_BRACKETS.match(line) if following else None)
    words = next(filter(None, match.groups()), "") if match else ""
    if not words and (colon := _COLON.match(without_decoration(line))):
        words = colon[1]
    if not words and BULLET.match(following[:60]) and not _COLONS.search(line) and _is_above(line, following):
        words = line
    return _NUMBER.sub("", _COUNT.sub("", without_decoration(words).strip(" :："))) if words else None


def _is_above(line: str, bullet: str) -> bool:
    """Return whether a line is no bullet itself, or one with less indentation than the bullet after it."""
    return not BULLET.match(line[:60]) or _indentation(line) < _indentation(bullet)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _items(lines: list[str]) -> list[str]:
    bullets = [line for line in lines if BULLET.match(line[:60])]
    return bullets or [line for line in lines if len(line) <= MAX_TEXT and not _ENDS_SENTENCE.search(line)]


def _are_texts(section: _Section, context: Context) -> bool:
    """Return whether the sentence contains most lines of a section as they are."""
    texts = [without_quotes(without_decoration(line)) for line in section.lines]
    return 2 * sum(map(context.contains, texts)) > len(texts)


def _texts(line: str, context: Context) -> list[str]:
    """Return the texts of a line under a label, without remarks after them."""
    plain = without_decoration(line)
    text = without_quotes(plain)
    if states_nothing(text) or text == "[]":
        return []
    array = array_texts(plain)
    if array is not None:
        return array
    texts = split_texts(text, context, named=True)
    if len(texts) > 1 or context.contains(text):
        return texts
    return [without_remark(text, context) if context.sentence else without_quotes(REMARK.split(text, maxsplit=1)[0])]
