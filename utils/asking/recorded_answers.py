"""The answers in a journal by their keys. They stay in the file: memory holds where each one begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from utils.asking.entries import AnswerKey, Entry, read_line

BLOCK = 1 << 20  # bytes


class RecordedAnswers(Mapping[AnswerKey, Entry]):
    """The last answer to each question, by key, in the order of the file.

    A key is known by its hash of 64 bits, so that an answer takes about 100 bytes of memory, whatever its length. Two
    of a million keys share a hash with a probability of 3e-8; then only the later one has an answer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts: dict[int, int] = {}  # hash of the key -> first byte of the answer
        self._file: BinaryIO | None = None

    def add(self, key: AnswerKey, start: int) -> None:
        """Add an answer that begins at the byte `start` of the file; it replaces an earlier one with this key."""
        self._starts[hash(key)] = start

    def open_file(self) -> None:
        """Open the file, so that the answers can be read even if it is deleted."""
        self.close()
        self._file = self._path.open("rb")

    def close(self) -> None:
        """Close the file; it is opened again for each answer that is read."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self, distance: int) -> None:
        """Open the file that has replaced the old one, in which each answer begins `distance` bytes later."""
        self._starts = {key: start + distance for key, start in self._starts.items()}
        self.open_file()

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes of the open file."""
        if self._file is not None:
            self._file.seek(0)
            yield from iter(partial(self._file.read, BLOCK), b"")

    def __contains__(self, key: object) -> bool:
        return hash(key) in self._starts

    def __getitem__(self, key: AnswerKey) -> Entry:
        entry = self._read(self._starts[hash(key)])
        if entry.key != key:
            raise KeyError(key)
        return entry

    def __iter__(self) -> Iterator[AnswerKey]:
        return (self._read(start).key for start in [*self._starts.values()])

    def __len__(self) -> int:
        return len(self._starts)

    def _read(self, start: int) -> Entry:
        """Return the answer that begins at a byte; raise RuntimeError if it is no longer there."""
        if self._file is None:
            with self._path.open("rb") as file:
                data = _line_at(file, start)
        else:
            data = _line_at(self._file, start)
        entry = read_line(data, 0, start).entry
        if entry is None:
            raise RuntimeError(f"{self._path} was changed by another program during the run: run the command again")
        return entry


def _line_at(file: BinaryIO, start: int) -> bytes:
    file.seek(start)
    return file.readline()
