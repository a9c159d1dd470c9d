"""What surrounds a text in an answer and does not belong to it: bullets, markdown, quotation marks, rulers."""

from __future__ import annotations

import re

from utils.parsing.context import Context

BULLET = re.compile(r"\s{0,20}(?:[-*•·+–○●◦▪]\s|[•·●▪]|\(?\d{1,3}[.)、．](?!\d)|（\d{1,3}）|[①-⑳])\s{0,20}")
_FENCE_OR_BRACKETS = re.compile(r"[`~]{3}.{0,20}|[\[\](){},]{1,3}")
_RULER = re.compile(r"[-=*_|:+\s]{3,}")
_MARKDOWN = re.compile(r"\*\*|__|`+|^#{1,6}\s|^>\s")
_QUOTES = "\"'“”‘’「」『』《》【】[]"
REMARK = re.compile(r"（|(?<=\s)\(|[:：]\s|：|(?<=\s)[-–—]\s|->|→")  # Ann Lee (a nurse), 苏州：城市
MAX_NAME_WORDS = 3  # of a name in a list that the sentence repeats; longer parts are clauses

# A run of spaces is read from its beginning only: a plain `\s*` is tried again from each of its spaces.
SPACES_BEFORE = r"(?:(?<!\s)\s+)?"

_SEPARATOR = re.compile("[、，,;；\n]")
_CONJUNCTION = re.compile(
    rf"(?<!\s)\s+(?:and|or|&)\s+|{SPACES_BEFORE}/\s*|(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])[和与及或](?=[\u4e00-\u9fff])"
)
_QUOTED = r"""(?:"[^"\n]{0,300}"|'(?:[^'\n]|'(?!\s{0,4}(?:[,，;；、]|$))){0,300}'|“[^”\n]{0,300}”|「[^」\n]{0,300}」)"""
# A comma between digits ("1,200") does not separate.
_PIECE = re.compile(rf"\s*({_QUOTED}(?=\s*(?:[、，,;；\n]|$))|(?:[^、，,;；\n]|(?<=\d)[,，](?=\d))+)")


def without_decoration(line: str) -> str:
    """Return a line without its bullet and without markdown."""
    line = line.strip()
    bullet = BULLET.match(line)
    rest = line[bullet.end() :] if bullet else line
    return _MARKDOWN.sub("", rest if rest.strip() else line).strip()


def is_noise(line: str) -> bool:
    """Return whether a line is empty, a ruler, the fence of a code block, or made of brackets."""
    text = line.strip()
    return not text or bool(_FENCE_OR_BRACKETS.fullmatch(text) or _RULER.fullmatch(line))


def without_quotes(text: str) -> str:
    """Return a text without the quotation marks around it. A single mark stays, because it may be a word."""
    text = text.strip()
    start, end = 0, len(text)
    while end - start > 2 and text[start] in _QUOTES and text[end - 1] in _QUOTES:
        start, end = start + 1, end - 1
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
    return text[start:end]


def without_remark(text: str, context: Context) -> str:
    """Return `Ann Lee` for `Ann Lee (a nurse)` or `Ann Lee - a nurse`, if only the first part is in the sentence."""
    if not context.lacks(text):
        return text
    before = without_quotes(REMARK.split(text, maxsplit=1)[0])
    return before if context.contains(before) else text


def split_list(text: str) -> list[str]:
    """Return the texts of `北京、上海`, `"Ann Lee", "Bob"` and `a; b`, without quotation marks."""
    parts = [without_quotes(match[1]) for match in _PIECE.finditer(text)]
    return [part for part in parts if part and part not in ('""', "''")]


def split_texts(text: str, context: Context, *, named: bool) -> list[str]:
    """Return the texts that a part of an item lists: those of `北京、上海`, or the whole part.

    With a sentence, a list is split if it contains all of the texts. A `named` part ("entity": "…") that is in the
    sentence is one text. Without a sentence, only `、` separates.
    """
    parts = split_list(text) if _SEPARATOR.search(text) else []
    if context.lacks(text) and _CONJUNCTION.search(text):
        more = [piece for part in parts or [text] for piece in _CONJUNCTION.split(part) if piece]
        parts = more if all(map(context.contains, more)) else parts
    if len(parts) < 2 or (named and context.contains(text)):
        return [text]
    if context.sentence is None:
        return parts if "\n" in text or ("、" in text and not named) else [text]
    if context.contains(text) and not _is_enumeration(text, parts):
        return [text]
    return parts if all(map(context.contains, parts)) else [text]


def _is_enumeration(text: str, parts: list[str]) -> bool:
    """Return whether a text that the sentence contains is a list of names, and not a clause or `July 4, 1776`."""
    if "，" in text or any(part.isdigit() for part in parts):
        return False
    return "、" in text or all(len(part.split()) <= MAX_NAME_WORDS for part in parts)
