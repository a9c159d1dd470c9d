"""Remove Markdown, list markers, thoughts and speaker names from an LLM's answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from utils.parsing.thinking import without_thoughts
from utils.synthesis.habits.heads import (
    kind_of_head,
    listed_heads,
    without_attributes,
    without_head,
    without_listed,
)

HEADING_WIDTH = 12  # columns: a line up to this width without punctuation at its end is a heading
WRAPPED_WIDTH = 40  # columns: a line from this width on without punctuation at its end continues in the next line
MAX_LINE = 2_000  # characters: a longer line is read in parts, so that its time is linear

_BREAK = re.compile(r"<br\s*/?>|</?p>", re.IGNORECASE)
_MARKUP_LINE = re.compile(r"^\s*(?:```\S*|~~~\S*|[-*_=─—]{3,}|\|.*\|)\s*$")
_HEADING = re.compile(r"^\s*#{1,6}\s")
_EMPHASIS = re.compile(r"(\*\*|__|`+|(?<![\w*])\*(?!\*))(?=\S)(.+?)(?<=\S)\1(?!\*)")
_BOLD_LINE = re.compile(r"^\s*(\*\*|__)(?=\S)([^*_]+)\1\s*[:：]?\s*$")
_BOLD_HEAD = re.compile(r"^\s*(\*\*|__)(?=\S)[^*_:：]{1,40}(?:[:：]\s*\1\s*[:：]?|\1\s*[:：])\s*(?=\S)")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_MARKER = re.compile(
    r"^\s*(?:[•·‣▪●○◆]+\s*|[*#>]+\s+|[-–—+](?=\s)\s*"
    r"|[(（]?\d{1,2}(?:[.:：](?!\d)|[)、）])\s*|[①-⑳]\s*|[(（][一二三四五六七八九十a-z][)）]\s*|[一二三四五六七八九十]、\s*"
    r"|\[\d{1,2}\]\s+)"
)
_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』]+)[\"”」』]")
_HEADWORD = re.compile(r"^(\S[^:：]{0,30}?)\s?[:：]\s*\1")  # "Rome: Rome is old", as in a glossary
_NAME_AND_COLON = re.compile(r"^[^\s:：，。,.][^:：，。,.]{0,30}?\s?[:：]")
# The characters after the last word, if they contain a mark. A search from each of them would take quadratic time.
_COLON_LAST = re.compile(r"(?<!\W)(?=\W*[:：])\W*$")
_END = re.compile(r"(?<!\W)(?=\W*[.!?。！？…；;:：])\W*$")
_PART = re.compile(r".*[。！？]|.*[.!?]\s|.*\s")
_CONTINUES = re.compile(
    r"(?:[,，、]|\b(?:a|an|the|of|in|on|at|to|for|from|by|with|and|or|but|that|which|who|is|are|was|were|his|her|its))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LineHabits:
    """Which forms the texts of a dataset have that elsewhere are layout, and no text."""

    breaks_end_texts: bool = False  # texts end without punctuation, so that only a line break shows the end
    whole_up_to: int = 0  # characters: a line up to this length is one text, even if it has several sentences
    keeps_markers: bool = False  # texts begin with list markers: "1. ", "（二）"
    heads: frozenset[str] = frozenset()  # with which texts begin, before a colon: "Note: ", "注："
    keeps_emphasis: bool = False  # texts contain `*` and `_` in pairs
    keeps_quotes: bool = False  # texts are quotations as a whole
    keeps_preambles: bool = False  # texts begin with an announcement: "Here is "
    keeps_headwords: bool = False  # texts begin with a name and a colon
    keeps_lists: bool = False  # so many do that all lines of an answer may
    has_colons_last: bool = False  # texts end with a colon
    has_short_lines: bool = False  # texts are as short as headings


PROSE = LineHabits()


def paragraphs(answer: str, habits: LineHabits = PROSE) -> Iterator[tuple[str, bool]]:
    """Yield the paragraphs of an answer as plain text, and whether each is only a heading or other markup.

    The lines of a wrapped sentence are joined.
    """
    text = _BREAK.sub("\n", without_thoughts(answer, replacement="\n"))
    lines = [part for line in text.splitlines() for part in _short_parts(line)]
    habits = replace(habits, keeps_markers=habits.keeps_markers and not _is_list(lines))
    lines = _without_listed_heads(lines, habits)
    waiting = ""
    for line in [*lines, ""]:
        if waiting and len(waiting) <= MAX_LINE and _continues(waiting, line, habits):
            waiting = _joined(waiting, _plain(line, habits))
            continue
        if waiting:
            yield waiting, _is_heading(waiting, habits)
        waiting = ""
        if _is_marked_heading(line, habits) or _MARKUP_LINE.match(line) or _is_label_line(line, habits):
            if re.search(r"\w", line.strip("`~")):
                yield line.strip(" #|"), True
            continue
        waiting = _plain(line, habits)


def without_marker(text: str, habits: LineHabits = PROSE) -> str:
    """Return a text without the list markers and titles at its beginning."""
    while True:
        shorter = text if habits.keeps_markers else _MARKER.sub("", text)
        shorter = without_head(shorter, habits.heads)
        if shorter == text:
            return text.strip()
        text = shorter


def bare_sentence(sentence: str, habits: LineHabits = PROSE) -> str:
    """Return a sentence without a list marker, a headword, or quotation marks around the whole of it."""
    text = without_marker(sentence, habits)
    if not habits.keeps_headwords:
        text = _HEADWORD.sub(r"\1", text)
    quoted = None if habits.keeps_quotes else _QUOTED.fullmatch(text)
    return quoted[1].strip() if quoted else text


def line_forms(text: str) -> set[str]:
    """Return the names of the fields of LineHabits that one text of a dataset is evidence for."""
    forms = {
        "keeps_markers": _MARKER.match(text),
        "keeps_emphasis": _EMPHASIS.search(text),
        "keeps_quotes": _QUOTED.fullmatch(text),
        "keeps_headwords": _HEADWORD.match(text) or _NAME_AND_COLON.match(text),
        "has_colons_last": _COLON_LAST.search(text),
        "has_short_lines": _is_short_line(text),
    }
    return {name for name, found in forms.items() if found}


def _short_parts(line: str) -> Iterator[str]:
    """Yield the parts of a line, none longer than MAX_LINE; a part ends with a sentence, or else with a word."""
    start = 0
    while len(line) - start > MAX_LINE:
        found = _PART.match(line, start, start + MAX_LINE)
        end = found.end() if found else start + MAX_LINE
        yield line[start:end]
        start = end
    yield line[start:]


def _is_list(lines: Sequence[str]) -> bool:
    """Return whether all lines of an answer are items of a list."""
    texts = [line for line in lines if line.strip()]
    return len(texts) > 1 and all(_MARKER.match(line) for line in texts)


def _without_listed_heads(lines: Sequence[str], habits: LineHabits) -> list[str]:
    """Return the lines of an answer without heads that come as a list; each such line still begins a new text."""
    if habits.keeps_lists:
        return list(lines)
    bare = [_unmarked(line, habits) for line in lines]
    heads = listed_heads(bare, habits.heads)
    shorter = [without_listed(line, heads) for line in bare]
    return [f"- {new}" if new != old.lstrip() else line for line, old, new in zip(lines, bare, shorter, strict=True)]


def _plain(line: str, habits: LineHabits) -> str:
    return without_marker(without_attributes(_unmarked(line, habits)), habits)


def _unmarked(line: str, habits: LineHabits) -> str:
    """Return a line without list markers, links, bold heads and emphasis."""
    text = _LINK.sub(r"\1", line if habits.keeps_markers else _MARKER.sub("", line))
    if habits.keeps_emphasis:
        return text
    plain = _EMPHASIS.sub(r"\2", text)
    return plain if kind_of_head(plain, habits.heads) else _EMPHASIS.sub(r"\2", _BOLD_HEAD.sub("", text))


def _continues(line: str, following: str, habits: LineHabits) -> bool:
    """Return whether a sentence continues from a line into the following one."""
    begins_anew = not following.strip() or _plain(following, PROSE) != following.strip()
    if begins_anew or _MARKUP_LINE.match(following) or _END.search(line):
        return False
    if habits.breaks_end_texts:
        return bool(_CONTINUES.search(line))
    return following.lstrip()[0].islower() or bool(_CONTINUES.search(line)) or _is_full_line(line)


def _is_full_line(line: str) -> bool:
    dense = ord(line[-1]) >= 0x2E80
    return _width(line) > HEADING_WIDTH if dense else _width(line) >= WRAPPED_WIDTH


def _is_heading(line: str, habits: LineHabits) -> bool:
    ends_with_colon = not habits.has_colons_last and _COLON_LAST.search(line)
    return bool(ends_with_colon) or (not habits.has_short_lines and _is_short_line(line))


def _is_marked_heading(line: str, habits: LineHabits) -> bool:
    """Return whether a line is a Markdown heading; some LLMs begin every sentence like one."""
    text = _HEADING.sub("", line)
    if text == line and not habits.keeps_emphasis and (bold := _BOLD_LINE.match(_MARKER.sub("", line))):
        text = bold[2]
    is_text = _END.search(text) or (habits.breaks_end_texts and _width(text) > HEADING_WIDTH)
    return text != line and (not is_text or bool(_COLON_LAST.search(text)))


def _is_label_line(line: str, habits: LineHabits) -> bool:
    """Return whether a line is a topic or a title, and no sentence: `Topic: old bridges`."""
    text = _unmarked(line, habits)
    kind = kind_of_head(text, habits.heads)
    is_text = _END.search(text) or (kind == "title" and habits.breaks_end_texts)
    return kind in ("title", "topic") and not is_text


def _is_short_line(line: str) -> bool:
    return not _END.search(line) and _width(line) <= HEADING_WIDTH


def _joined(line: str, following: str) -> str:
    """Return two lines as one, without a space between ideographs or kana."""
    dense = ord(line[-1]) >= 0x2E80 and ord(following[0]) >= 0x2E80
    hangul = "HANGUL" in unicodedata.name(line[-1], "") or "HANGUL" in unicodedata.name(following[0], "")
    return line + ("" if dense and not hangul else " ") + following


def _width(line: str) -> int:
    """Return the width of a line in columns. Ideographs, kana and hangul take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
