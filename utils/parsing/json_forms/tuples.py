"""Python's tuples and calls with quoted strings: `('北京', '地名'), ('上海', '地名')`, `Entity(text='北京', …)`."""

from __future__ import annotations

import re

from utils.parsing.json_forms.literals import literal_text

# A quotation mark ends a string only before a comma or a bracket, so an apostrophe does not.
_STRING = (
    r"""(?:"(?:[^"\\\n]|\\.|"(?!\s{0,8}[,，)\]])){0,300}"|'(?:[^'\\\n]|\\.|'(?!\s{0,8}[,，)\]])){0,300}'"""
    r"""|“[^”\n]{0,300}”|‘[^’\n]{0,300}’)"""
)
_OTHER = r"(?:-?\d{1,12}(?:\.\d{1,12})?|None|null|True|False)"
_CELL = re.compile(rf"\s{{0,8}}({_STRING}|{_OTHER})\s{{0,8}}(?:[,，]|(?=[)\]]))")
_ARGUMENT = re.compile(rf"\s{{0,8}}(\w{{1,30}})\s{{0,4}}=\s{{0,4}}({_STRING}|{_OTHER})\s{{0,8}}(?:,|(?=\)))")
_AFTER = re.compile(r"\s{0,20}[,，;；、]?\s{0,20}(?=[(\[])")
_SPACES = re.compile(r"\s*")
MAX_CELLS = 8


class TupleReader:
    """Reads the tuples of a text. Each cell is read once, also if several brackets before it begin no tuple."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._cells: dict[int, tuple[str, int] | None] = {}

    def read_tuples(self, start: int) -> tuple[list[list[str]], int] | None:
        """Return the strings of the tuples that follow each other from `start` on, and where to continue.

        The result is None if there is no tuple with two values, or only one in square brackets: that is an array.
        """
        rows: list[list[str]] = []
        end = position = start
        while (row := self._read_tuple(position)) is not None:
            strings, end = row
            rows.append(strings)
            after = _AFTER.match(self.text, end)
            if after is None:
                break
            position = after.end()
        return (rows, end) if len(rows) > 1 or (rows and self.text[start] == "(") else None

    def read_call(self, start: int) -> tuple[dict[str, str], int] | None:
        """Return the arguments of `Entity(text='北京', type='地名')`, from its bracket on, and where to continue."""
        arguments: dict[str, str] = {}
        position = start + 1
        while len(arguments) < MAX_CELLS and (argument := _ARGUMENT.match(self.text, position)):
            arguments[argument[1]] = literal_text(argument[2])
            position = argument.end()
        return (arguments, position + 1) if len(arguments) > 1 and self.text[position : position + 1] == ")" else None

    def _read_tuple(self, start: int) -> tuple[list[str], int] | None:
        """Return the strings of one tuple, and its end."""
        cells: list[str] = []
        position = start + 1
        while len(cells) < MAX_CELLS and (cell := self._read_cell(position)):
            literal, position = cell
            cells.append(literal)
            if self.text[position : position + 1] in (")", "]"):
                strings = [literal_text(one) for one in cells if one[0] in "\"'“‘"]
                return (strings, position + 1) if len(cells) > 1 and strings else None
        return None

    def _read_cell(self, start: int) -> tuple[str, int] | None:
        """Return the literal of a cell, and the end of the comma and the spaces after it; None for no cell."""
        if start not in self._cells:
            cell = _CELL.match(self.text, start)
            spaces = _SPACES.match(self.text, cell.end()) if cell else None
            self._cells[start] = (cell[1], spaces.end()) if cell and spaces else None
        return self._cells[start]
