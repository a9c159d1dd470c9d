"""The journal of an LLM step: every answer is saved as soon as it arrives."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import count
from operator import attrgetter
from pathlib import Path
from types import TracebackType

from utils.asking.entries import (
    PADDING,
    SETTINGS,
    Entry,
    JournalLine,
    is_damaged_copy,
    is_fingerprint,
    looks_like_answer,
    read_lines,
)
from utils.asking.recorded_answers import RecordedAnswers
from utils.compute.progress import tracked_bytes
from utils.files.append_only import AppendOnlyFile
from utils.files.compressed import bounded_lines
from utils.files.jsonl import JsonObject, encode_json, replace_file
from utils.files.locks import exclusive_lock
from utils.files.own_files import check_own_file
from utils.wording import agreeing, listed

log = logging.getLogger(__name__)

DAMAGED = ".damaged"  # added to the name of a journal: the file that keeps its damaged lines
ZEROS = bytes(8)  # no text in any encoding contains so many zero bytes in a row
NO_FINGERPRINT = "its fingerprint is none"


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
        self.entries = RecordedAnswers(path)
        self._file: AppendOnlyFile | None = None
        self._lock = ExitStack()

    def __enter__(self) -> Journal:
        with ExitStack() as stack:  # else a refused file stays locked as long as the traceback exists
            stack.enter_context(exclusive_lock(self.path))
            check_own_file(self.path)
            if self.path.is_file() and self.path.stat().st_size:
                self._set_aside() if self.overwrite else self._read()
            self._file = stack.enter_context(AppendOnlyFile(self.path))
            self.entries.open_file()
            stack.callback(self.entries.close)
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
        if self._file.is_deleted:
            self._write_again(self._file)
        new = list(entries)
        lines = [self._line(entry) for entry in new]
        start = self._file.size
        self._file.write(b"".join(lines))
        for entry, line in zip(new, lines, strict=True):
            self.entries.add(entry.key, start)
            start += len(line)

    def _write_again(self, file: AppendOnlyFile) -> None:
        """Write all answers to a new file, because the old one was deleted."""
        log.warning("%s was deleted during the run: it is written again", self.path)
        file.recreate()
        start = file.size
        for block in self.entries.blocks():
            file.write(block)
        self.entries.reopen(start)

    def _line(self, entry: Entry) -> bytes:
        row = _row(entry)
        if self._settings is not None and not self._has_settings:
            row[SETTINGS] = self._settings
            self._has_settings = True
        return encode_json(row) + b"\n"

    def _set_aside(self) -> None:
        self.path.replace(_free_backup(self.path))

    def _read(self) -> None:
        """Read the answers; set damaged lines aside, and cut off an incomplete end."""
        damaged: list[JournalLine] = []
        end: list[JournalLine] = []  # damaged lines as a crash leaves them, with no others after them
        is_journal = False
        for line in map(self._with_own_fingerprint, _tracked_lines(self.path)):
            if line.entry is None:
                is_journal |= looks_like_answer(line)
                end.append(line)
                if not _is_from_crash(line):
                    damaged += end
                    end = []
                continue
            is_journal = True
            damaged += end
            end = []
            self._has_settings |= line.settings is not None
            self.entries.add(line.entry.key, line.start)
        self._check_origin(damaged, end, is_journal=is_journal)
        if _repair(self.path, damaged, end):  # the answers after the damaged lines begin earlier now
            self.entries = RecordedAnswers(self.path)
            for line in _tracked_lines(self.path):
                if line.entry is not None:
                    self.entries.add(line.entry.key, line.start)

    def _check_origin(self, damaged: Sequence[JournalLine], end: Sequence[JournalLine], *, is_journal: bool) -> None:
        """Raise ValueError if the file is no journal, or if nothing in it was made with the settings of this run."""
        unknown = [line for line in [*damaged, *end] if line.damage == NO_FINGERPRINT]
        if unknown and not self.entries:
            raise self._other_settings(unknown[0].number)
        foreign = [*damaged, *(line for line in end if line.data.strip(PADDING))]
        if foreign and not is_journal:
            raise ValueError(
                f"{self.path}:{foreign[0].number}: this line is not an answer that was saved here; use --overwrite to "
                f"start from the beginning ({foreign[0].damage})"
            )

    def _with_own_fingerprint(self, line: JournalLine) -> JournalLine:
        """Return the line, as a damaged one if its fingerprint is; raise ValueError for an answer of other settings."""
        if line.entry is None or line.entry.fingerprint == self.fingerprint:
            return line
        if is_damaged_copy(line.entry.fingerprint, self.fingerprint):
            return replace(line, entry=None, damage="its fingerprint is damaged")
        if not is_fingerprint(line.entry.fingerprint):
            return replace(line, entry=None, damage=NO_FINGERPRINT)
        difference = f"; {self._explain(line.entry.fingerprint)}" if self._explain else ""
        raise self._other_settings(line.number, difference)

    def _other_settings(self, number: int, difference: str = "") -> ValueError:
        return ValueError(
            f"{self.path} contains answers of another model, prompt or setting (line {number}); use the same "
            "model, prompt and settings, another --save_type_name, or --overwrite to start from the beginning"
            + difference
        )


def _row(entry: Entry) -> JsonObject:
    """Return the JSON object of an answer, as earlier versions wrote it if it has no thoughts."""
    row: JsonObject = asdict(entry)
    if not entry.thought_tokens:
        del row["thought_tokens"]
    return row


def journal_path(result: Path) -> Path:
    """Return the path of a result's journal, in the same folder."""
    return result.with_name(f"{result.name}.journal.jsonl")


def recorded_settings(path: Path) -> dict[str, JsonObject]:
    """Return the settings of answers that a journal records, by fingerprint; of a missing journal, none."""
    lines = read_lines(path) if path.is_file() else ()
    return {line.entry.fingerprint: line.settings for line in lines if line.entry and line.settings}


def _free_backup(path: Path) -> Path:
    """Return a path for the old journal that does not exist yet: `.bak`, `.bak2`, …"""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in count(1))
    return next(backup for name in names if not (backup := path.with_name(name)).exists())


def _is_from_crash(line: JournalLine) -> bool:
    """Return whether a damaged line at the end is one that a killed run, a full disk or a power cut leaves.

    After a power cut, a line may have its end but zeros in the middle.
    """
    return not line.data.endswith(b"\n") or ZEROS in line.data


def _tracked_lines(path: Path) -> Iterator[JournalLine]:
    """Return the lines of a journal, and show how much of it is read."""
    title, size = f"reading {path.name}", path.stat().st_size
    return tracked_bytes(read_lines(path), title, total=size, position=attrgetter("start"))


def _repair(path: Path, damaged: Sequence[JournalLine], end: Sequence[JournalLine]) -> bool:
    """Cut off the incomplete `end` of a journal, and move the `damaged` lines to another file; return whether any."""
    if end:
        log.warning("the last answer in %s is incomplete: it is asked for again", path)
        os.truncate(path, end[0].start)
    if damaged:
        backup = path.with_name(f"{path.name}{DAMAGED}")
        with AppendOnlyFile(backup) as file:
            file.write(b"".join(line.data for line in damaged))
        _remove_lines(path, {line.number for line in damaged})
        log.warning(
            "%s: %s %s damaged: kept in %s (%s); %s asked again",
            path,
            _line_numbers(damaged),
            agreeing(len(damaged), "is", "are"),
            backup.name,
            damaged[0].damage,
            agreeing(len(damaged), "its sentence is", "their sentences are"),
        )
    return bool(damaged)


def _remove_lines(path: Path, numbers: Collection[int]) -> None:
    with path.open("rb") as old, replace_file(path) as new:
        for number, _, line in bounded_lines(old):
            if number not in numbers:
                new.write(line)


def _line_numbers(lines: Sequence[JournalLine]) -> str:
    """Return the numbers of lines in words."""
    return f"{agreeing(len(lines), 'line', 'lines')} {listed([str(line.number) for line in lines])}"
