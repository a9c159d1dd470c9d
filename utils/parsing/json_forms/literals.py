"""String literals in broken JSON: their patterns, and their texts without quotation marks and escapes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from utils.parsing.json_forms.backslashes import escape_unknown

STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|“[^“”\n]*”)"""

_QUOTE = re.compile("[\"'“]")
_BODY = {
    '"': re.compile(r"""(?:[^"\\\n]+|\\.)*"""),
    "'": re.compile(r"""(?:[^'\\\n]+|\\.)*"""),
    "“": re.compile(r"[^“”\n]*"),
}
_CLOSING = {'"': '"', "'": "'", "“": "”"}


def complete_strings(text: str, start: int, end: int) -> Iterator[str]:
    r"""Yield the texts of the string literals between two positions that have both quotation marks.

    Each character is read at most once for each kind of quotation mark, also in `"\"\"\"\"`: if a string is not
    closed, then none that begins inside it with the same mark is.
    """
    unclosed = dict.fromkeys(_BODY, start)  # up to this position, no string with this quotation mark is closed
    position = start
    while (opening := _QUOTE.search(text, position, end)) is not None:
        position, quote = opening.end(), opening[0]
        if opening.start() < unclosed[quote]:
            continue
        body = _BODY[quote].match(text, position, end)
        body_end = body.end() if body else position
        if body_end < end and text[body_end] == _CLOSING[quote]:
            position = body_end + 1
            yield literal_text(text[opening.start() : position])
        else:
            unclosed[quote] = body_end


def literal_text(text: str) -> str:
    """Return the text of a string literal, without its quotation marks and escapes."""
    if len(text) < 2 or text[0] not in "\"'“‘「" or text[-1] not in "\"'”’」":
        return text.strip("\"'“”‘’「」 ")
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    escaped = escape_unknown(inner).replace("\\'", "'")
    try:
        value = json.loads('"' + re.sub(r'(?<!\\)"', r"\"", escaped) + '"', strict=False)
    except ValueError:
        return inner
    return str(value)
