"""Tables as candidates: markdown tables, columns separated by tabs, spaces or one comma."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, column_of
from utils.parsing.text_forms.decoration import split_texts, without_decoration, without_quotes

MAX_ROW = 2000  # characters

_RULER = re.compile(r"\s*(?:[|｜:][\s:]*)?-{2,}[\s:]*[|｜][-\s:|｜]*$")


def has_ruler(lines: Sequence[str]) -> bool:
    """Return whether a line separates the head of a markdown table from its rows."""
    return any(_RULER.match(line[:MAX_ROW]) for line in lines)


def read_rows(lines: Sequence[str], context: Context, *, min_bars: int) -> list[ItemCandidate]:
    """Return the candidates of a table's rows: `| 北京 | 地名 |`, or columns separated by tabs.

    A line is a row if it has a tab or at least `min_bars` bars.
    """
    candidates: list[ItemCandidate] = []
    columns: tuple[int, int] | None = None
    for line in lines:
        cells = _cells(line, min_bars)
        if len(cells) < 2:
            continue
        if not candidates and (named := _named_columns(cells)):
            columns = named
            continue
        first = 1 if len(cells) > 2 and cells[0].rstrip(".").isdigit() else 0
        text, label = columns or (first, first + 1)
        if max(text, label) < len(cells) and cells[text]:
            kind: Literal["pair", "item"] = "pair" if columns is None else "item"
            texts = split_texts(cells[text], context, named=True)
            candidates.extend(ItemCandidate(one, cells[label], kind) for one in texts)
    return candidates


def split_columns(lines: Sequence[str]) -> list[list[str]]:
    """Return the two columns of `word POS` lines, separated by spaces or by one comma; [] if a line is different."""
    for separator in (None, ",", "，", ";", "；"):
        rows = [line.strip().split(separator) for line in lines if len(line) <= MAX_ROW]
        if len(rows) > 1 and len(rows) == len(lines) and all(len(row) == 2 and all(row) for row in rows):
            return rows
    return []


def _named_columns(cells: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of texts and labels if the cells are the head of a table."""
    text, label = column_of(cells, TEXT_KEYS), column_of(cells, LABEL_KEYS)
    return (text, label) if text is not None and label is not None and text != label else None


def _cells(line: str, min_bars: int) -> list[str]:
    if len(line) > MAX_ROW:
        return []
    if "\t" in line.strip():
        return [without_quotes(without_decoration(cell)) for cell in line.strip("\r\n ").split("\t")]
    if line.count("|") + line.count("｜") < min_bars or line.lstrip()[:1] in ("(", "（"):
        return []
    row = line.replace("｜", "|").strip()
    return [without_quotes(without_decoration(cell)) for cell in row.removeprefix("|").removesuffix("|").split("|")]
