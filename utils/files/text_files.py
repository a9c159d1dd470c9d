"""The rows of files of texts: plain text, one text a line, or JSON Lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Literal

from utils.files.compressed import content_name
from utils.files.jsonl import JsonObject, decode_utf8, parse_rows

Form = Literal["text", "jsonl"]

PEEKED_LINES = 30  # of plain text, in which a table of tokens and tags is recognised
_TAGGED_TOKEN = re.compile(r"\S+(?:[ \t]+\S+)*?[ \t]+(?:O|[BIESMLU][-_]\S+)\s*")  # such as "Rome B-LOC"


def form_of(name: str, first: bytes) -> Form:
    """Return the form of an input, from its name's ending or, without a known ending, from its first line."""
    name = content_name(name)
    if name.endswith((".jsonl", ".json")):
        return "jsonl"
    return "jsonl" if not name.endswith(".txt") and first.lstrip(b"\xef\xbb\xbf \t").startswith(b'{"') else "text"


def parse_texts(lines: Iterable[bytes], name: str, form: Form) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, row) for each line of plain text, as its "text" and also if it is empty, or JSON object.

    Raises ValueError with the number of the first line that cannot be read, and for plain text that consists of tokens
    and tags.
    """
    if form == "jsonl":
        return parse_rows(lines, name)
    return ((number, {"text": line.rstrip("\r\n")}) for number, line in _plain_lines(lines, name))


def _plain_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of plain text; raise ValueError if its first lines are those of a BIO file."""
    numbered = ((number, decode_utf8(line, f"{name}:{number}")) for number, line in enumerate(lines, start=1))
    first = list(islice(numbered, PEEKED_LINES))
    filled = [(number, line) for number, line in first if line.strip() and not line.startswith("# ")]
    if len(filled) > 1 and all(_TAGGED_TOKEN.fullmatch(line) for _, line in filled):
        raise ValueError(
            f"{name}:{filled[0][0]}: each line has a token and a tag, as in a BIO file; write one text per line, or "
            'JSON Lines with the tokens of each sentence, {"text": ["Anna", "sees", "Rome"]}'
        )
    yield from chain(first, numbered)
