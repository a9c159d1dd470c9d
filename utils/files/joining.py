"""The lines of one file that belong to the sentences of another, found by id without keeping a file in memory.

Files of the steps have the same order: both are read once, from the beginning to the end. For any other order, an index
on disk has the position of each line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from utils.files.compressed import open_seekable
from utils.files.disk_index import DiskIndex
from utils.files.jsonl import Line, locate_lines, parse_row, read_lines

_ID = re.compile(rb'\{"id": "([^"\\]*)"[,}]')  # the beginning of every line that a step wrote


Ids = Callable[[], Iterable[str]]


class OrderedLines:
    """The lines of a file that is known to have the order of the ids; it is asked for each of them in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = ((read_id(line, path), line) for line in read_lines(path))
        self._next = next(self._lines, None)

    def find(self, sentence_id: str | None) -> list[Line]:
        """Return the next lines as long as they have an id."""
        found = []
        while self._next is not None and self._next[0] == sentence_id:
            found.append(self._next[1])
            self._next = next(self._lines, None)
        return found

    def finish(self) -> None:
        """Raise ValueError if a line has no id that was asked for, or another order."""
        if self._next is not None:
            number = self._next[1][0]
            raise ValueError(f"{self._path}:{number}: the lines are not in the order of the sentences: run s4 again")


class LineFinder:
    """Finds the lines of a file by their ids. It is asked for ids in the order of `ids`; some may be left out.

    The file is read along with `ids` if it has the same order. Else, or if an id is asked for out of order, an index on
    disk is made.
    """

    def __init__(self, path: Path, ids: Ids) -> None:
        self._path = path
        self.is_ordered = _is_in_order(path, ids())
        self._index = None if self.is_ordered else _LineIndex(path)
        self._ids = iter(ids())
        self._current: str | None = None
        self._found: list[Line] = []  # the lines of the current id
        self._lines = OrderedLines(path)

    def find(self, sentence_id: str) -> list[Line]:
        """Return the lines with an id, in the order of the file."""
        while self._index is None and self._current != sentence_id:
            self._current = next(self._ids, None)
            self._found = self._lines.find(self._current)
            if self._current is None:  # the id is not ahead
                self._index = _LineIndex(self._path)
        return self._found if self._index is None else self._index.find(sentence_id)


def read_id(line: Line, path: Path) -> str:
    """Return the "id" of a line as text, without parsing the line if it begins with its id."""
    number, data = line
    if match := _ID.match(data):
        return match[1].decode("utf-8", "replace")
    return str(parse_row(data, f"{path}:{number}").get("id"))


def sentence_ids(path: Path, *, from_rows: bool) -> Iterator[str]:
    """Return the id of each sentence of a file: that of its row, or else its number."""
    if from_rows:
        return (read_id(line, path) for line in read_lines(path))
    return (str(number) for number, _ in zip(count(1), read_lines(path), strict=False))


def _is_in_order(path: Path, sentence_ids: Iterable[str]) -> bool:
    """Return whether the ids of a file are some of these ids, in the same order; an id may be repeated."""
    ids = iter(sentence_ids)
    current = None
    for line in read_lines(path):
        wanted = read_id(line, path)
        while current != wanted:
            current = next(ids, None)
            if current is None:
                return False
    return True


class _LineIndex:
    """The lines of a file in any order."""

    def __init__(self, path: Path) -> None:
        self._file = open_seekable(path)
        lines = locate_lines(path)
        self._index = DiskIndex((read_id((number, line), path), (number, start)) for number, start, line in lines)

    def find(self, sentence_id: str) -> list[Line]:
        return [self._line(number, start) for number, start in self._index.find(sentence_id)]

    def _line(self, number: int, start: int) -> Line:
        self._file.seek(start)
        return number, self._file.readline()
