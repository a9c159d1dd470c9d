"""The rows of files of texts: plain text, one text a line, or JSON Lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from utils.files.compressed import check_line, content_name
from utils.files.jsonl import JsonObject, decode_utf8, parse_rows, read_text

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


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table in CSV by the names of its columns; a cell that is missing is empty.

    Raises ValueError that names the file if it is no such table.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path)), restkey="", restval=""))
    except csv.Error as error:
        raise ValueError(f"{path}: not a table in CSV ({error})") from None
    return [{key: value for key, value in row.items() if key} for row in rows]


def _plain_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of plain text; raise ValueError if its first lines are those of a BIO file."""
    numbered = ((number, _text(line, name, number)) for number, line in enumerate(lines, start=1))
    first = list(islice(numbered, PEEKED_LINES))
    filled = [(number, line) for number, line in first if line.strip() and not line.startswith("# ")]
    if len(filled) > 1 and all(_TAGGED_TOKEN.fullmatch(line) for _, line in filled):
        raise ValueError(
            f"{name}:{filled[0][0]}: each line has a token and a tag, as in a BIO file; write one text per line, or "
            'JSON Lines with the tokens of each sentence, {"text": ["Anna", "sees", "Rome"]}'
        )
    yield from chain(first, numbered)


def _text(line: bytes, name: str, number: int) -> str:
    check_line(line, name, number)
    return decode_utf8(line, f"{name}:{number}")
