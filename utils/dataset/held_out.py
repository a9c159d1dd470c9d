"""Warn about training sentences that are also in dev or test."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from utils.dataset.records import same_text_key
from utils.files.jsonl import read_rows
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)


def warn_of_shared_sentences(train: Path, held_out: Iterable[Path]) -> None:
    """Warn if sentences of `train` are also in one of the other files that exist: scores on them would be too high.

    Case and whitespace make no difference. A file that cannot be read causes a warning, too: it is not needed yet.
    """
    lines = dict(_lines_by_text(train))
    for file in held_out:
        if not file.is_file():
            continue
        try:
            shared = [(lines[key], line) for key, line in _lines_by_text(file) if key in lines]
        except ValueError as error:
            log.warning("%s is not compared with the training sentences: %s", file, error)
            continue
        if shared:
            log.warning(
                "%s of %s %s in the training file, such as %s:%d = %s:%d: scores will be too high; remove what is in "
                "both from one of the files",
                counted(len(shared), "sentence"),
                file,
                agreeing(len(shared), "is also", "are also"),
                train,
                shared[0][0],
                file,
                shared[0][1],
            )


def _lines_by_text(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the key of each sentence's text, and the number of its line; rows without text are skipped."""
    for line, row in read_rows(path):
        if key := _key(row.get("text")):
            yield key, line


def _key(text: Any) -> str:
    if isinstance(text, str):
        return same_text_key([text])
    return same_text_key(text) if isinstance(text, list) and all(isinstance(token, str) for token in text) else ""
