"""The journal of an LLM step: every answer is saved as soon as it arrives."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields, replace
from itertools import count
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import TracebackType

from utils.files.append_only import AppendOnlyFile
from utils.files.jsonl import JsonObject, encode_json, read_rows
from utils.files.locks import exclusive_lock

log = logging.getLogger(__name__)

SETTINGS = "settings"  # key of the answers' settings
ZEROS = bytes(8)  # no text in any encoding contains so many zero bytes in a row


AnswerKey = tuple[str, str, str, int]  # sentence id, task, input hash, sample


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of an LLM, and the question that it answers."""

    id: str  # of the sentence
    task: str  # entity, pos or explain
    input: str  # SHA-256 of the sentence's part of the prompt
    fingerprint: str  # of the model, prompt and decoding
    answer: str
    finish: str  # stop, or length if it reached max_new_tokens
    prompt_tokens: int
    answer_tokens: int
    sample: int = 0  # number of the answer, if a question is asked several times

    @property
    def key(self) -> AnswerKey:
        return self.id, self.task, self.input, self.sample


FIELD_TYPES = {field.name: {"str": str, "int": int}[str(field.type)] for field in fields(Entry)}


class Journal:
    """The answers for one result of s1, s2 or s3; a context manager that locks its file against other runs.

    Raises ValueError if the file contains answers with another fingerprint; with `overwrite` such answers are moved to
    a `.bak` file instead. `explain` returns the difference to the settings with a fingerprint. Raises RuntimeError if
    another process is writing the file.

    The first line with a fingerprint also has the `settings` of the answers, under the key "settings".
    """

    def __init__(
        self,
        path: Path,
        fingerprint: str,
        *,
        overwrite: bool = False,
        settings: JsonObject | None = None,
        explain: Callable[[str], str] | None = None,
    ) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.overwrite = overwrite
        self._settings = settings
        self._explain = explain
        self._has_settings = False
        self.entries: dict[AnswerKey, Entry] = {}
        self._file: AppendOnlyFile | None = None
        self._lock = ExitStack()

    def __enter__(self) -> Journal:
        with ExitStack() as stack:  # else a refused file stays locked as long as the traceback exists
            stack.enter_context(exclusive_lock(self.path))
            if self.path.is_file() and self.path.stat().st_size:
                self._set_aside() if self.overwrite else self._read()
            self._file = stack.enter_context(AppendOnlyFile(self.path))
            self._lock = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file = None
        self._lock.close()

    def append(self, entries: Iterable[Entry]) -> None:
        """Write answers to the file; they reach the disk soon after, without waiting for it here."""
        if self._file is None:
            raise RuntimeError(f"{self.path} is not open")
        new = list(entries)
        if self._file.is_deleted:
            log.warning("%s was deleted during the run: it is written again", self.path)
            self._file.recreate()
            self._has_settings = False
            self._file.write(self._lines(self.entries.values()))
        self._file.write(self._lines(new))
        self.entries.update((entry.key, entry) for entry in new)

    def _lines(self, entries: Iterable[Entry]) -> bytes:
        rows: list[JsonObject] = [asdict(entry) for entry in entries]
        if rows and self._settings is not None and not self._has_settings:
            rows[0][SETTINGS] = self._settings
            self._has_settings = True
        return b"".join(encode_json(row) + b"\n" for row in rows)

    def _set_aside(self) -> None:
        self.path.replace(_free_backup(self.path))

    def _read(self) -> None:
        _drop_incomplete_end(self.path)
        for line, row in read_rows(self.path):
            self._has_settings |= row.pop(SETTINGS, None) is not None
            entry = self._entry(row, line)
            self.entries[entry.key] = entry

    def _entry(self, row: dict[str, object], line: int) -> Entry:
        try:
            entry = Entry(**row)  # type: ignore[arg-type]
        except TypeError:
            entry = None
        if entry is None or any(type(getattr(entry, name)) is not kind for name, kind in FIELD_TYPES.items()):
            raise ValueError(
                f"{self.path}:{line}: this line is not an answer that was saved here; use --overwrite to start from "
                "the beginning"
            )
        if entry.fingerprint != self.fingerprint:
            difference = f"; {self._explain(entry.fingerprint)}" if self._explain else ""
            raise ValueError(
                f"{self.path} contains answers of another model, prompt or setting (line {line}); use the same model, "
                "prompt and settings, another --save_type_name, or --overwrite to start from the beginning" + difference
            )
        # Keep one copy of equal strings, to save memory with millions of answers.
        return replace(
            entry, task=sys.intern(entry.task), fingerprint=self.fingerprint, finish=sys.intern(entry.finish)
        )


def journal_path(result: Path) -> Path:
    """Return the path of a result's journal, in the same folder."""
    return result.with_name(f"{result.name}.journal.jsonl")


def recorded_settings(path: Path) -> dict[str, JsonObject]:
    """Return the settings of answers that a journal records, by fingerprint; of a missing journal, none."""
    rows = (row for _, row in read_rows(path)) if path.is_file() else iter(())
    return {row["fingerprint"]: row[SETTINGS] for row in rows if isinstance(row.get(SETTINGS), dict)}


def _free_backup(path: Path) -> Path:
    """Return a path for the old journal that does not exist yet: `.bak`, `.bak2`, …"""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(backup for name in names if not (backup := path.with_name(name)).exists())


def _drop_incomplete_end(path: Path) -> None:
    """Cut off an incomplete last line, which a killed run, a full disk or a power cut may leave.

    After a power cut, a line may have its end but zeros in the middle.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        size = len(data)
        whole = data.rfind(b"\n") + 1
        while whole and data.find(ZEROS, start := data.rfind(b"\n", 0, whole - 1) + 1, whole) >= 0:
            whole = start
    if whole < size:
        if whole:  # raises if the file is not JSON Lines: such a file is not changed
            next(read_rows(path), None)
        log.warning("the last answer in %s is incomplete: it is asked for again", path)
        os.truncate(path, whole)
