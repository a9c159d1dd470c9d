"""The run log: one line for each run, with the data that manifests leave out: times, host and more."""

from __future__ import annotations

import json
import logging
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from utils import __version__
from utils.files.compressed import MAX_LINE, bounded_lines
from utils.files.jsonl import JsonObject, encode_json
from utils.files.own_files import check_own_file, open_own_file

log = logging.getLogger(__name__)

MAX_NUMBER = 1e15  # far above any number of tokens or seconds


@contextmanager
def logged_run(path: Path, step: str, entries: Callable[[], Mapping[str, Any]] = dict) -> Iterator[None]:
    """Append a line to the run log when the block ends, even if it fails.

    `entries` is called at the end and returns additional entries. Seconds are wall-clock; the start is in UTC. Raises
    ValueError, before the block begins, if the run log is a link, a FIFO or a device.
    """
    check_own_file(path)
    line: dict[str, Any] = {
        "step": step,
        "version": __version__,
        "host": platform.node(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "status": "broken off",
    }
    begin = time.monotonic()  # not affected when the clock is changed
    try:
        yield
        line["status"] = "done"
    finally:
        line.update(entries(), seconds=round(time.monotonic() - begin, 3))
        _append(path, encode_json(line) + b"\n")


def read_run_log(path: Path) -> Iterator[JsonObject]:
    """Yield the lines of a run log; damaged ones, and a missing file, are skipped."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for _, _, line in bounded_lines(file):
            try:
                row = json.loads(line) if len(line) <= MAX_LINE else None
            except (ValueError, RecursionError):  # also for bytes that are not UTF-8
                continue
            if isinstance(row, dict):
                yield row


def logged_number(row: Mapping[str, Any], name: str) -> float:
    """Return a number of a line, which may be from elsewhere; 0 if it is none."""
    value = row.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 0
    return value if 0 <= value <= MAX_NUMBER else 0


def _append(path: Path, line: bytes) -> None:
    """Append a line; on an error, only warn, so that a failed step still reports its own error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_own_file(path, "ab") as file:
            file.write(line)
    except OSError as error:
        log.warning("%s could not be written: %s", path, error.strerror)
    except ValueError as error:  # it has become a link during the run
        log.warning("%s", error)
