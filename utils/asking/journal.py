"""The journal of an LLM step: every answer as it came, on disk while the next is awaited."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import TracebackType

from utils.files.append_only import AppendOnlyFile
from utils.files.jsonl import encode, read_rows
from utils.files.locks import exclusive_lock

log = logging.getLogger(__name__)

HOLE = bytes(8)  # zeros in a row, which no text has in any encoding


AnswerKey = tuple[str, str, str, int]  # the sentence, the task, what it brought into the prompt, and which answer


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
    def key(self) -> AnswerKey:
        return self.id, self.task, self.input, self.sample


TYPES = {field.name: {"str": str, "int": int}[str(field.type)] for field in fields(Entry)}


class Journal:
    """The answers of one result of s1, s2 or s3; a context manager that holds its file against other runs.

    Raises ValueError where the file holds answers of another fingerprint, unless `overwrite` is given, which keeps
    them in a `.bak` file; RuntimeError where another process is writing it.
    """

    def __init__(self, path: Path, fingerprint: str, *, overwrite: bool = False) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.overwrite = overwrite
        self.entries: dict[AnswerKey, Entry] = {}
        self._file: AppendOnlyFile | None = None
        self._held = ExitStack()

    def __enter__(self) -> Journal:
        with ExitStack() as held:  # else a refused file stays held for as long as somebody keeps the traceback
            held.enter_context(exclusive_lock(self.path))
            if self.path.is_file() and self.path.stat().st_size:
                self._set_aside() if self.overwrite else self._read()
            self._file = held.enter_context(AppendOnlyFile(self.path))
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file = None
        self._held.close()

    def append(self, entries: Iterable[Entry]) -> None:
        """Hand answers to the operating system at once, and let them be put on disk."""
        if self._file is None:
            raise RuntimeError(f"{self.path} is not open")
        new = list(entries)
        if self._file.is_deleted:
            log.warning("%s was deleted while it was being written: it is written again", self.path)
            self._file.make_again()
            self._file.write(_lines(self.entries.values()))
        self._file.write(_lines(new))
        self.entries.update((entry.key, entry) for entry in new)

    def _set_aside(self) -> None:
        self.path.replace(_free_backup(self.path))

    def _read(self) -> None:
        _drop_torn_end(self.path)
        for line, row in read_rows(self.path):
            entry = self._entry(row, line)
            self.entries[entry.key] = entry

    def _entry(self, row: dict[str, object], line: int) -> Entry:
        try:
            entry = Entry(**row)  # type: ignore[arg-type]
        except TypeError:
            entry = None
        if entry is None or any(type(getattr(entry, name)) is not kind for name, kind in TYPES.items()):
            raise ValueError(f"{self.path}:{line}: not a line of a journal; give --overwrite to start anew")
        if entry.fingerprint != self.fingerprint:
            raise ValueError(
                f"{self.path} holds answers of another model, prompt or setting (line {line}); give the old ones, "
                "another --save_type_name, or --overwrite to start anew"
            )
        # Each line brings its own copies of these: one of each is enough for millions of answers.
        return replace(
            entry, task=sys.intern(entry.task), fingerprint=self.fingerprint, finish=sys.intern(entry.finish)
        )


def journal_path(result: Path) -> Path:
    """Return where the journal of a result stands: beside it."""
    return result.with_name(f"{result.name}.journal.jsonl")


def _free_backup(path: Path) -> Path:
    """Return a name for the old journal that is not taken: `.bak`, `.bak2`, …"""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(backup for name in names if not (backup := path.with_name(name)).exists())


def _lines(entries: Iterable[Entry]) -> bytes:
    return b"".join(encode(asdict(entry)) + b"\n" for entry in entries)


def _drop_torn_end(path: Path) -> None:
    """Cut off the end of a file that a killed run, a full disk or a power cut left: it holds no whole line.

    A power cut may have stored a line's end and not its middle, which is zeros then.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        size = len(data)
        whole = data.rfind(b"\n") + 1
        while whole and data.find(HOLE, start := data.rfind(b"\n", 0, whole - 1) + 1, whole) >= 0:
            whole = start
    if whole < size:
        if whole:  # a file that is no journal at all is not cut: this raises
            next(read_rows(path), None)
        log.warning("the last answer in %s is torn: it is asked for again", path)
        os.truncate(path, whole)
