"""Reading the files of s1 and s3, including those of the first implementation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from utils.annotation.legacy.files import is_legacy_file, read_legacy_rows
from utils.annotation.rows import AnnotationRow
from utils.compute.progress import tracked_bytes
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.files.jsonl import JsonObject, Line, locate_lines, parse_row, read_rows


def read_annotations(path: Path, mode: Mode, sentences: Sequence[Sentence]) -> Iterator[AnnotationRow]:
    """Yield the rows of a file of s1 or s3; raise ValueError that names file and line if a line is not a valid row."""
    for number, row in read_annotation_rows(path, mode, sentences):
        yield _row(row, f"{path}:{number}")


def read_annotation_line(line: Line, path: Path) -> AnnotationRow:
    """Return the row of one line of a file of s1 or s3; raise ValueError that names file and line of a bad one."""
    number, data = line
    source = f"{path}:{number}"
    return _row(parse_row(data, source), source)


def read_annotation_rows(path: Path, mode: Mode, sentences: Sequence[Sentence]) -> Iterable[tuple[int, JsonObject]]:
    """Return the line number and the JSON object of each line of a file of s1 or s3, as it was written.

    The lines of the first implementation have no ids. They get the ids of the `sentences` with the same text.
    """
    if not is_legacy_file(path):
        return read_rows(path)
    return ((number, row.to_json()) for number, row in read_legacy_rows(path, mode, sentences))


def tracked_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Return the lines of a file as `locate_lines` does, and show how much of it is read."""
    title, size = f"reading {path.name}", path.stat().st_size
    return tracked_bytes(locate_lines(path), title, total=size, position=itemgetter(1))


def _row(row: JsonObject, source: str) -> AnnotationRow:
    try:
        return AnnotationRow.from_json(row)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
