"""Arrays of strings as candidates: `[["北京", "地名"], …]`, `["北京", "地名"]` and `["北京", "上海"]`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, column_of
from utils.parsing.text_forms.decoration import split_texts
from utils.parsing.text_forms.lines import read_line

_IDENTIFIER = re.compile(r"[A-Za-z]{0,2}\d{1,4}")  # T1


def is_row(value: Any) -> bool:
    """Return whether a value is an array of at least two values, all of them strings or numbers, with a string."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    return any(isinstance(part, str) for part in value) and not any(isinstance(part, (list, dict)) for part in value)


def read_rows(rows: Sequence[list[Any]], context: Context, label: str = "") -> Iterator[ItemCandidate]:
    """Yield the candidates of rows such as `["北京", "地名", 0, 2]`; with a `label`, of rows without one."""
    columns = _named_columns(rows[0])
    if columns:
        rows = rows[1:]
    texts = [_strings(row) for row in rows]
    only_texts = not columns and all(map(context.contains, (text for row in texts for text in row)))
    for row, strings in zip(rows, texts, strict=True):
        if columns and max(columns) < len(row):
            yield ItemCandidate(str(row[columns[0]]).strip(), str(row[columns[1]] or "").strip())
        elif label and strings:
            yield ItemCandidate(next(filter(context.contains, strings), strings[0]), label, kind="pair")
        elif only_texts:
            yield from (ItemCandidate(text, "", kind="bare") for text in strings)
        elif strings:
            yield _pair(strings, context)


def read_strings(strings: Sequence[str], context: Context) -> Iterator[ItemCandidate]:
    """Yield the candidates of one array of strings: a text and its label, or a list of texts or of `北京/ns`."""
    if len(strings) > 1 and all(map(context.contains, strings)):
        yield from (ItemCandidate(text, "", kind="bare") for text in strings)
        return
    read = [[] if context.contains(text) else read_line(text, context) for text in strings]
    if len(strings) == 2 and strings[0] and not all(read):
        yield ItemCandidate(strings[0], strings[1], kind="pair")
    elif len(strings) > 2 and len(strings) % 2 == 0 and _alternate(strings, context):
        yield from (ItemCandidate(*pair, kind="pair") for pair in zip(strings[::2], strings[1::2], strict=True))
    else:
        tagged = 2 * sum(map(bool, read)) >= len(strings)
        for text, candidates in zip(strings, read, strict=True):
            yield from (candidates if tagged else []) or read_text(text, "", context)


def read_text(text: str, label: str, context: Context) -> Iterator[ItemCandidate]:
    """Yield the candidates of a string in an array, with the label that the whole array has."""
    texts = split_texts(text, context, named=not label) if text else []
    yield from (ItemCandidate(one, label, kind="pair" if label else "bare") for one in texts)


def _pair(strings: Sequence[str], context: Context) -> ItemCandidate:
    """Return the candidate of a row: its first two strings, or the one in the sentence and the next other one."""
    if len(strings) == 1:
        return ItemCandidate(strings[0], "", kind="bare")
    text = next(filter(context.contains, strings), None) if len(strings) > 2 else None
    if text is None:
        return ItemCandidate(strings[0], strings[1], kind="pair")
    rest = [string for string in strings if string is not text]
    after = [string for string in strings[strings.index(text) + 1 :] if not context.contains(string)]
    names = [string for string in (*after, *rest) if not _IDENTIFIER.fullmatch(string)]
    return ItemCandidate(text, (names or rest)[0])


def _named_columns(row: list[Any]) -> tuple[int, int] | None:
    """Return the columns of texts and labels if a row names them: `["entity", "type"]`."""
    names = list(map(str, row))
    text, label = column_of(names, TEXT_KEYS), column_of(names, LABEL_KEYS)
    return (text, label) if text is not None and label is not None and text != label else None


def _alternate(strings: Sequence[str], context: Context) -> bool:
    """Return whether texts of the sentence and other strings alternate: `["北京", "地名", "上海", "地名"]`."""
    return all(map(context.contains, strings[::2])) and not any(map(context.contains, strings[1::2]))


def _strings(row: list[Any]) -> list[str]:
    return [part.strip() for part in row if isinstance(part, str) and part.strip()]
