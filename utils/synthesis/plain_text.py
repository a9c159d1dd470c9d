"""Remove Markdown, list markers, thoughts and speaker names from an LLM's answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from utils.parsing.thinking import without_thoughts

HEADING_WIDTH = 12  # columns: a line up to this width without punctuation at its end is a heading
WRAPPED_WIDTH = 40  # columns: a line from this width on without punctuation at its end continues in the next line

_BREAK = re.compile(r"<br\s*/?>|</?p>", re.IGNORECASE)
_MARKUP_LINE = re.compile(r"^\s*(?:```\S*|~~~\S*|[-*_=─—]{3,}|\|.*\|)\s*$")
_HEADING = re.compile(r"^\s*#{1,6}\s")
_EMPHASIS = re.compile(r"\*\*|__|`+|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*\)")
_MARKER = re.compile(
    r"^\s*(?:[*•·‣▪●○◆#>]+\s*|[-–—+](?=\s)\s*"
    r"|[(（]?\d{1,2}(?:[.:：](?!\d)|[)、）])\s*|[①-⑳]\s*|[(（][一二三四五六七八九十a-z][)）]\s*|[一二三四五六七八九十]、\s*"
    r"|\[\d{1,2}\]\s+)"
)
# A title before a sentence ("Sentence 1:", "答案："), or the letter of a speaker in a dialogue.
_TITLE = re.compile(
    r"^\s*(?:(?:(?:new |synthetic )?sentences?|continuation|continued|explanation|example|answer|output|response"
    r"|text|note|dialogue|news|user|assistant|speaker)\s*[A-Z\d]?"
    r"|第[一二三四五六七八九十\d]+[个句]?(?:句子|句)?|(?:新)?句子[一二三四五六七八九十\d]*|续写(?:句子|内容|部分|如下)?[一二三四五六七八九十\d]*"
    r"|解释|例句|回答|答案|输出|对话|新闻|用户|助手|说明|注"
    r"|続き|説明|例文|回答|会話|ニュース|文\d*|설명|문장\s?\d*|이어지는 문장|대화|뉴스|답변|예문"
    r"|[A-D甲乙丙丁])\s*(?:[:：]\s*|(?<=\d)[.)]\s+)",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?。！？…；;:：]\W*$")
_CONTINUES = re.compile(
    r"(?:[,，、]|\b(?:a|an|the|of|in|on|at|to|for|from|by|with|and|or|but|that|which|who|is|are|was|were|his|her|its))\s*$",
    re.IGNORECASE,
)


def paragraphs(answer: str) -> Iterator[tuple[str, bool]]:
    """Yield the paragraphs of an answer as plain text, and whether each is only a heading or other markup.

    The lines of a wrapped sentence are joined.
    """
    text = _BREAK.sub("\n", without_thoughts(answer, replacement="\n"))
    waiting = ""
    for line in [*text.splitlines(), ""]:
        if waiting and _continues(waiting, line):
            waiting = _joined(waiting, _plain(line))
            continue
        if waiting:
            yield waiting, _is_heading(waiting)
        waiting = ""
        if _HEADING.match(line) or _MARKUP_LINE.match(line):
            if re.search(r"\w", line.strip("`~")):
                yield line.strip(" #|"), True
            continue
        waiting = _plain(line)


def without_marker(text: str) -> str:
    """Return a text without the list markers and titles at its beginning."""
    while (shorter := _TITLE.sub("", _MARKER.sub("", text))) != text:
        text = shorter
    return text.strip()


def _plain(line: str) -> str:
    return without_marker(_EMPHASIS.sub("", _LINK.sub(r"\1", _MARKER.sub("", line))))


def _continues(line: str, following: str) -> bool:
    """Return whether a sentence continues from a line into the following one."""
    begins_anew = not following.strip() or _plain(following) != following.strip() or _MARKUP_LINE.match(following)
    if begins_anew or _END.search(line):
        return False
    return following.lstrip()[0].islower() or bool(_CONTINUES.search(line)) or _is_full_line(line)


def _is_full_line(line: str) -> bool:
    dense = ord(line[-1]) >= 0x2E80
    return _width(line) > HEADING_WIDTH if dense else _width(line) >= WRAPPED_WIDTH


def _is_heading(line: str) -> bool:
    return bool(re.search(r"[:：]\W*$", line)) or (not _END.search(line) and _width(line) <= HEADING_WIDTH)


def _joined(line: str, following: str) -> str:
    """Return two lines as one, without a space between ideographs or kana."""
    dense = ord(line[-1]) >= 0x2E80 and ord(following[0]) >= 0x2E80
    hangul = "HANGUL" in unicodedata.name(line[-1], "") or "HANGUL" in unicodedata.name(following[0], "")
    return line + ("" if dense and not hangul else " ") + following


def _width(line: str) -> int:
    """Return the width of a line in columns. Ideographs, kana and hangul take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
