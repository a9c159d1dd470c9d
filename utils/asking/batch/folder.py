"""A folder of batch files: which requests are in it, and which results have come."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from utils.asking.batch.state import has_ended
from utils.asking.batch.tries import Try, parse_try
from utils.files.compressed import bounded_lines
from utils.files.jsonl import JsonObject
from utils.llm.batch.lines import MAX_LINE_BYTES, BatchResult, is_request, read_result

PATTERN = "*.jsonl"


@dataclass
class RequestFile:
    """A file of requests that was written for one result of the pipeline."""

    path: Path
    tries: list[Try]
    has_ended: bool  # a service has ended the batch, and its results were downloaded
    answers: int = 0
    errors: int = 0
    is_cut_off: bool = False  # the file of its results is incomplete

    @property
    def is_awaited(self) -> bool:
        """Whether what is missing may still come.

        Services write answers and errors to two files. With errors alone, the other file may not be here yet.
        """
        if self.has_ended:
            return False
        return self.is_cut_off or not (self.answers or self.errors >= len(self.tries))


@dataclass
class FolderContent:
    """What the files of a folder contain about the questions of one result of the pipeline."""

    requests: list[RequestFile] = field(default_factory=list)
    results: dict[Try, BatchResult] = field(default_factory=dict)
    repeated: int = 0  # results of a try that had one already
    others: Counter[Path] = field(default_factory=Counter)  # file -> results of other settings
    damaged: list[str] = field(default_factory=list)  # places of lines that cannot be read
    cut_off: dict[Path, list[Try]] = field(default_factory=dict)  # file with an incomplete last line -> its results

    def last_tries(self) -> dict[str, tuple[Try, RequestFile]]:
        """Return the last try of each question, and the file that it is in."""
        tries = ((one, file) for file in self.requests for one in file.tries)
        return {one.question: (one, file) for one, file in sorted(tries, key=lambda pair: pair[0].number)}


def read_folder(folder: Path, result: str, is_known: Callable[[str], bool]) -> FolderContent:
    """Return what a folder contains about the known questions of a result.

    Files are read in the order of their names; the first answer to a try counts.
    """
    content = FolderContent()
    for path in sorted(folder.glob(PATTERN)) if folder.is_dir() else ():
        if path.is_file():
            _read_file(path, f"{result}-", is_known, content)
    cut_off = {one for tries in content.cut_off.values() for one in tries}
    for file in content.requests:
        found = [content.results[one] for one in file.tries if one in content.results]
        file.answers = sum(one.completion is not None for one in found)
        file.errors = len(found) - file.answers
        file.is_cut_off = not cut_off.isdisjoint(file.tries)
    return content


def is_complete(data: bytes) -> bool:
    """Return whether the last line of a file of results is complete."""
    return data.endswith(b"\n") or not data.strip() or _read_object(data.rpartition(b"\n")[2]) is not None


def _read_file(path: Path, prefix: str, is_known: Callable[[str], bool], content: FolderContent) -> None:
    """Add what one file contains. A file in which no id begins with the prefix is of no interest."""
    asked: list[Try] = []
    found: list[Try] = []
    damaged: list[int] = []
    is_own = False
    number = 0
    for number, row in _read_lines(path):
        if row is None:
            damaged.append(number)
        elif str(row.get("custom_id")).startswith(prefix):
            is_own = True
            one = parse_try(str(row["custom_id"]))
            if one is not None and is_request(row):
                asked.append(one)
            elif one is None or not is_known(one.question):
                content.others[path] += 1
            elif (result := read_result(row)) is not None:
                found.append(one)
                _add_result(one, result, content)
    if asked:
        content.requests.append(RequestFile(path, asked, has_ended(path)))
    elif is_own and damaged[-1:] == [number] and not _ends_with_newline(path):
        damaged.pop()
        content.cut_off[path] = found
    if is_own:
        content.damaged += [f"{path}:{number}" for number in damaged]


def _add_result(one: Try, result: BatchResult, content: FolderContent) -> None:
    earlier = content.results.get(one)
    if earlier is None or (earlier.completion is None and result.completion is not None):
        content.results[one] = result
    else:
        content.repeated += 1


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _read_lines(path: Path) -> Iterator[tuple[int, JsonObject | None]]:
    """Yield (line number, object) for each line that is not empty; None for one that is no JSON object."""
    with path.open("rb") as file:
        for number, _, line in bounded_lines(file):
            if line.strip():
                yield number, _read_object(line)


def _read_object(line: bytes) -> JsonObject | None:
    if len(line) > MAX_LINE_BYTES:  # in memory, JSON can be 20 times as large
        return None
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
