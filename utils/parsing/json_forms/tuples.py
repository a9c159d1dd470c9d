"""Python's tuples and calls with quoted strings: `('北京', '地名'), ('上海', '地名')`, `Entity(text='北京', …)`."""

from __future__ import annotations

import re

from utils.parsing.json_forms.broken import literal_text

# A quotation mark ends a string only before a comma or a bracket, so an apostrophe does not.
_STRING = (
    r"""(?:"(?:[^"\\\n]|\\.|"(?!\s{0,8}[,，)\]])){0,300}"|'(?:[^'\\\n]|\\.|'(?!\s{0,8}[,，)\]])){0,300}'"""
    r"""|“[^”\n]{0,300}”|‘[^’\n]{0,300}’)"""
)
_OTHER = r"(?:-?\d{1,12}(?:\.\d{1,12})?|None|null|True|False)"
_CELL = re.compile(rf"\s{{0,8}}({_STRING}|{_OTHER})\s{{0,8}}(?:[,，]|(?=[)\]]))")
_ARGUMENT = re.compile(rf"\s{{0,8}}(\w{{1,30}})\s{{0,4}}=\s{{0,4}}({_STRING}|{_OTHER})\s{{0,8}}(?:,|(?=\)))")
_AFTER = re.compile(r"\s{0,20}[,，;；、]?\s{0,20}(?=[(\[])")
MAX_CELLS = 8


def read_tuples(text: str, start: int) -> tuple[list[list[str]], int] | None:
    """Return the strings of the tuples that follow each other from `start` on, and where to continue.

    The result is None if there is no tuple with two values, or only one in square brackets: that is an array.
    """
    rows: list[list[str]] = []
    end = position = start
    while (row := _read_tuple(text, position)) is not None:
        strings, end = row
        rows.append(strings)
        after = _AFTER.match(text, end)
        if after is None:
            break
        position = after.end()
    return (rows, end) if len(rows) > 1 or (rows and text[start] == "(") else None


def read_call(text: str, start: int) -> tuple[dict[str, str], int] | None:
    """Return the arguments of `Entity(text='北京', type='地名')`, from its bracket on, and where to continue."""
    arguments: dict[str, str] = {}
    position = start + 1
    while len(arguments) < MAX_CELLS and (argument := _ARGUMENT.match(text, position)):
        arguments[argument[1]] = literal_text(argument[2])
        position = argument.end()
    return (arguments, position + 1) if len(arguments) > 1 and text[position : position + 1] == ")" else None


def _read_tuple(text: str, start: int) -> tuple[list[str], int] | None:
    """Return the strings of one tuple, and its end."""
    cells: list[str] = []
    position = start + 1
    while len(cells) < MAX_CELLS and (cell := _CELL.match(text, position)):
        cells.append(cell[1])
        position = cell.end()
        while text[position : position + 1].isspace():
            position += 1
        if text[position : position + 1] in (")", "]"):
            strings = [literal_text(one) for one in cells if one[0] in "\"'“‘"]
            return (strings, position + 1) if len(cells) > 1 and strings else None
    return None
