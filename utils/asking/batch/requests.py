"""The files of requests that are written for a batch service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.asking.batch.tries import Try
from utils.compute.progress import tracked
from utils.files.jsonl import encode_json, replace_file
from utils.files.locks import exclusive_lock
from utils.llm.base import Request
from utils.llm.batch.lines import MAX_BYTES, request_line


@dataclass(frozen=True)
class RequestWriter:
    """Writes requests to numbered files, each within the limits of lines and bytes of services."""

    folder: Path
    result: str  # the stem of the result's file, which begins the names of the files
    api_base: str | None
    body: Callable[[Request], Mapping[str, Any]]
    max_lines: int

    def write(self, requests: Sequence[tuple[Try, Request]]) -> dict[Path, int]:
        """Return the new files with their numbers of requests; each is written completely or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(self.folder / "batch"):  # another result may be written to the same folder
            numbers = self._free_numbers()
            portions = self._portions(self._lines(requests))
            return {self._write(next(numbers), lines): len(lines) for lines in portions}

    def _lines(self, requests: Sequence[tuple[Try, Request]]) -> Iterator[bytes]:
        for one, request in tracked(requests, f"writing {self.result}", total=len(requests), unit="question"):
            yield encode_json(request_line(str(one), self.api_base, self.body(request))) + b"\n"

    def _portions(self, lines: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Yield the lines of each file."""
        portion: list[bytes] = []
        size = 0
        for line in lines:
            if portion and (len(portion) == self.max_lines or size + len(line) > MAX_BYTES):
                yield portion
                portion, size = [], 0
            portion.append(line)
            size += len(line)
        if portion:
            yield portion

    def _free_numbers(self) -> Iterator[int]:
        """Yield the numbers after those of all files of this result, results of a service included."""
        found = (re.match(rf"{re.escape(self.result)}-(\d+)\b", path.name) for path in self.folder.iterdir())
        number = max((int(one[1]) for one in found if one), default=0)
        while True:
            number += 1
            yield number

    def _write(self, number: int, lines: Sequence[bytes]) -> Path:
        path = self.folder / f"{self.result}-{number:03d}.jsonl"
        with replace_file(path) as file:
            file.writelines(lines)
        return path
