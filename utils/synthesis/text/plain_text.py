"""Remove Markdown, list markers, thoughts and speaker names from an LLM's answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from utils.parsing.thinking import without_thoughts

HEADING_WIDTH = 12  # columns: a line up to this width without punctuation at its end is a heading
WRAPPED_WIDTH = 40  # columns: a line from this width on without punctuation at its end continues in the next line

_BREAK = re.compile(r"<br\s*/?>|</?p>", re.IGNORECASE)
_MARKUP_LINE = re.compile(r"^\s*(?:```\S*|~~~\S*|[-*_=─—]{3,}|\|.*\|)\s*$")
_HEADING = re.compile(r"^\s*#{1,6}\s")
_EMPHASIS = re.compile(r"(\*\*|__|`+|(?<![\w*])\*(?!\*))(?=\S)(.+?)(?<=\S)\1(?!\*)")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_MARKER = re.compile(
    r"^\s*(?:[•·‣▪●○◆]+\s*|[*#>]+\s+|[-–—+](?=\s)\s*"
    r"|[(（]?\d{1,2}(?:[.:：](?!\d)|[)、）])\s*|[①-⑳]\s*|[(（][一二三四五六七八九十a-z][)）]\s*|[一二三四五六七八九十]、\s*"
    r"|\[\d{1,2}\]\s+)"
)
# A title before a sentence ("Sentence 1:", "答案："), or the letter of a speaker in a dialogue.
_TITLE = re.compile(
    r"^\s*(?:(?:(?:new |synthetic )?sentences?|continuation|continued|explanation|example|answer|output|response"
    r"|text|note|dialogue|news|user|assistant|speaker|title|headline|post|tweet|query)\s*[A-Z\d]?"
    r"|第[一二三四五六七八九十\d]+[个句]?(?:句子|句)?|(?:新)?句子[一二三四五六七八九十\d]*|续写(?:句子|内容|部分|如下)?[一二三四五六七八九十\d]*"
    r"|解释|例句|回答|答案|输出|对话|新闻|用户|助手|说明|注|标题|文本|微博"
    r"|続き|説明|例文|回答|会話|ニュース|文\d*|タイトル|설명|문장\s?\d*|이어지는 문장|대화|뉴스|답변|예문|제목"
    r"|[A-D甲乙丙丁])\s*(?:[:：]\s*|(?<=\d)[.)]\s+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』]+)[\"”」』]")
_HEADWORD = re.compile(r"^(\S[^:：]{0,30}?)\s?[:：]\s*\1")  # "Rome: Rome is old", as in a glossary
_NAME_AND_COLON = re.compile(r"^[^\s:：，。,.][^:：，。,.]{0,30}?\s?[:：]")
_COLON_LAST = re.compile(r"[:：]\W*$")
_END = re.compile(r"[.!?。！？…；;:：]\W*$")
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
    keeps_titles: bool = False  # texts begin with titles: "Note: ", "注："
    keeps_emphasis: bool = False  # texts contain `*` and `_` in pairs
    keeps_quotes: bool = False  # texts are quotations as a whole
    keeps_preambles: bool = False  # texts begin with an announcement: "Here is "
    keeps_headwords: bool = False  # texts begin with a name and a colon
    has_colons_last: bool = False  # texts end with a colon
    has_short_lines: bool = False  # texts are as short as headings


PROSE = LineHabits()


def paragraphs(answer: str, habits: LineHabits = PROSE) -> Iterator[tuple[str, bool]]:
    """Yield the paragraphs of an answer as plain text, and whether each is only a heading or other markup.

    The lines of a wrapped sentence are joined.
    """
    text = _BREAK.sub("\n", without_thoughts(answer, replacement="\n"))
    lines = text.splitlines()
    habits = replace(habits, keeps_markers=habits.keeps_markers and not _is_list(lines))
    waiting = ""
    for line in [*lines, ""]:
        if waiting and _continues(waiting, line, habits):
            waiting = _joined(waiting, _plain(line, habits))
            continue
        if waiting:
            yield waiting, _is_heading(waiting, habits)
        waiting = ""
        if _is_marked_heading(line, habits) or _MARKUP_LINE.match(line):
            if re.search(r"\w", line.strip("`~")):
                yield line.strip(" #|"), True
            continue
        waiting = _plain(line, habits)


def without_marker(text: str, habits: LineHabits = PROSE) -> str:
    """Return a text without the list markers and titles at its beginning."""
    while True:
        shorter = text if habits.keeps_markers else _MARKER.sub("", text)
        shorter = shorter if habits.keeps_titles else _TITLE.sub("", shorter)
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
        "keeps_titles": _TITLE.match(text),
        "keeps_emphasis": _EMPHASIS.search(text),
        "keeps_quotes": _QUOTED.fullmatch(text),
        "keeps_headwords": _HEADWORD.match(text) or _NAME_AND_COLON.match(text),
        "has_colons_last": _COLON_LAST.search(text),
        "has_short_lines": _is_short_line(text),
    }
    return {name for name, found in forms.items() if found}


def _is_list(lines: Sequence[str]) -> bool:
    """Return whether all lines of an answer are items of a list."""
    texts = [line for line in lines if line.strip()]
    return len(texts) > 1 and all(_MARKER.match(line) for line in texts)


def _plain(line: str, habits: LineHabits) -> str:
    text = _LINK.sub(r"\1", line if habits.keeps_markers else _MARKER.sub("", line))
    return without_marker(text if habits.keeps_emphasis else _EMPHASIS.sub(r"\2", text), habits)


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
    is_text = _END.search(text) or (habits.breaks_end_texts and _width(text) > HEADING_WIDTH)
    return text != line and (not is_text or bool(_COLON_LAST.search(text)))


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
