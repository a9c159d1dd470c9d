"""What surrounds a text in an answer and does not belong to it: bullets, markdown, quotation marks, rulers."""

from __future__ import annotations

import re

BULLET = re.compile(r"\s{0,20}(?:[-*•·+–○●◦▪]\s|[•·●▪]|\(?\d{1,3}[.)、．](?!\d)|（\d{1,3}）|[①-⑳])\s{0,20}")
NOISE = re.compile(r"\s*(?:[`~]{3}.{0,20}|[-=*_|:+\s]{3,})?\s*$")  # code fences, rulers, empty lines
_MARKDOWN = re.compile(r"\*\*|__|`+|^#{1,6}\s|^>\s")
_QUOTES = "\"'“”‘’「」『』《》【】[]"


def without_decoration(line: str) -> str:
    """Return a line without its bullet and without markdown."""
    line = line.strip()
    bullet = BULLET.match(line)
    rest = line[bullet.end() :] if bullet else line
    return _MARKDOWN.sub("", rest if rest.strip() else line).strip()


def without_quotes(text: str) -> str:
    """Return a text without the quotation marks around it. A single mark stays, because it may be a word."""
    text = text.strip()
    while len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text
