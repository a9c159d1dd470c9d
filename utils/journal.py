"""The journal of an LLM step: every answer as it came, on disk before the next batch is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from utils.jsonl import encode, read_rows

try:
    import fcntl
except ModuleNotFoundError:  # Windows: two runs on one journal are not kept apart there
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of an LLM, with what it answers."""

    id: str  # the sentence
    task: str  # entity, pos or explain
    input: str  # SHA-256 of what the sentence brought into the prompt
    fingerprint: str  # of the model, prompt and decoding
    answer: str
    finish: str  # stop, or length where the budget ran out
    prompt_tokens: int
    answer_tokens: int
    sample: int = 0  # number of the answer, where a sentence is asked for several

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.id, self.task, self.input, self.sample


class Journal:
    """The answers of one result of s1, s2 or s3; a context manager that holds its file against other runs.

    Raises ValueError where the file holds answers of another fingerprint, unless `overwrite` is given, which keeps
    them in a `.bak` file; RuntimeError where another process has the file open.
    """

    def __init__(self, path: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.overwrite = overwrite
        self.entries: dict[tuple[str, str, str, int], Entry] = {}
        self._file: BinaryIO | None = None
        self._held = ExitStack()

    def __enter__(self) -> Journal:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:  # else a refused file stays held for as long as somebody keeps the traceback
            self._file = held.enter_context(self._open())
            if self.overwrite and self.path.stat().st_size:
                self.path.replace(_free_backup(self.path))
                self._file = held.enter_context(self._open())
            _drop_torn_line(self._file)
            for line, row in read_rows(self.path):
                entry = self._entry(row, line)
                self.entries[entry.key] = entry
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()
        self._file = None

    def append(self, entries: Iterable[Entry]) -> None:
        """Put answers on disk."""
        if self._file is None:
            raise RuntimeError(f"{self.path} is not open")
        new = list(entries)
        self._file.write(b"".join(encode(asdict(entry)) + b"\n" for entry in new))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.entries.update((entry.key, entry) for entry in new)

    def _open(self) -> BinaryIO:
        file = self.path.open("ab+")
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise RuntimeError(f"{self.path} is being written by another run; wait for it, or stop it") from None
        return file

    def _entry(self, row: dict[str, object], line: int) -> Entry:
        try:
            entry = Entry(**row)  # type: ignore[arg-type]
        except TypeError:
            raise ValueError(f"{self.path}:{line}: not a line of a journal; give --overwrite to start anew") from None
        if entry.fingerprint != self.fingerprint:
            raise ValueError(
                f"{self.path} holds answers of another model, prompt or setting (line {line}); give the old ones, "
                "another --save_type_name, or --overwrite to start anew"
            )
        return entry


def journal_path(result: Path) -> Path:
    """Return where the journal of a result stands: beside it."""
    return result.with_name(f"{result.name}.journal.jsonl")


def _free_backup(path: Path) -> Path:
    """Return a name for the old journal that is not taken: `.bak`, `.bak2`, …"""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(backup for name in names if not (backup := path.with_name(name)).exists())


def _drop_torn_line(file: BinaryIO) -> None:
    """Cut off a last line without its end, which a killed run or a full disk leaves."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    whole = sum(len(line) for line in file if line.endswith(b"\n"))
    if whole < size:
        log.warning("the last answer in %s is torn: it is asked for again", file.name)
        file.truncate(whole)
    file.seek(0, os.SEEK_END)
