"""Files of JSON objects: JSON Lines, or one JSON array; and the checks of values in them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from utils.files.compressed import bounded_lines, open_input
from utils.files.jsonl import JsonObject, decode_utf8, encode_json, parse_rows, read_json, replace_file

ROW = "row"  # of the metadata in which a sentence's further keys are kept


def read_objects(path: Path) -> Iterator[tuple[str, JsonObject]]:
    """Yield ("file:line" or "file: object 3", object) for each object of JSON Lines, or of one JSON array or object.

    Raises ValueError that names the file and the place if something else is there.
    """
    if _is_lines(path):
        with open_input(path) as file:
            lines = (line for _, _, line in bounded_lines(file))
            yield from ((f"{path}:{number}", row) for number, row in parse_rows(lines, str(path)))
        return
    value = read_json(path, most=None)
    for number, row in enumerate(value if isinstance(value, list) else [value], start=1):
        if not isinstance(row, dict):
            raise ValueError(f"{path}: object {number}: expected a JSON object, found {type(row).__name__}")
        yield f"{path}: object {number}", row


def write_array(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON array with one object per line."""
    with replace_file(path) as file:
        file.write(b"[")
        for number, row in enumerate(rows):
            file.write((b",\n" if number else b"\n") + encode_json(row))
        file.write(b"\n]\n")


def read_each(path: Path, read: Callable[[JsonObject, str], Any]) -> list[Any]:
    """Return what `read` makes of each object; errors name the file and the place. None is left out."""
    made = []
    for where, row in read_objects(path):
        with naming_place(where):
            document = read(row, where)
        if document is not None:
            made.append(document)
    return made


@contextmanager
def naming_place(where: str) -> Iterator[None]:
    """Turn the errors of values that a format does not have into a ValueError that names their place."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        reason = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{where}: cannot be read in this format: {reason}") from None


def text_of(value: Any, name: str) -> str:
    """Return a value that must be a string."""
    if not isinstance(value, str):
        raise ValueError(f'"{name}" must be a string, found {str(value)[:40]!r}')
    return value


def tokens_of(value: Any, name: str) -> tuple[str, ...]:
    """Return a value that must be a list of strings."""
    if not isinstance(value, list) or not all(isinstance(token, str) for token in value):
        raise ValueError(f'"{name}" must be a list of tokens, found {str(value)[:40]!r}')
    return tuple(value)


def number_of(value: Any, name: str = "offset") -> int:
    """Return a value that must be a whole number, also as 3.0."""
    is_whole = value.is_integer() if isinstance(value, float) else isinstance(value, int)
    if isinstance(value, bool) or not is_whole:
        raise ValueError(f'"{name}" must be a whole number, found {str(value)[:40]!r}')
    return int(value)


def optional_text(value: Any) -> str | None:
    """Return a value that may be a string that is not empty; None for any other value."""
    return value if isinstance(value, str) and value else None


def list_of(value: Any, name: str) -> Sequence[Any]:
    """Return a value that must be a list; null is an empty one."""
    if value is not None and not isinstance(value, list):
        raise ValueError(f'"{name}" must be a list, found {str(value)[:40]!r}')
    return value or []


def score_of(value: Any) -> float | None:
    """Return a value that may be a score; None for anything that is no finite number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= sys.float_info.max else None


def metadata(row: Mapping[str, Any]) -> JsonObject:
    """Return the further keys of a sentence's row, as metadata of another format."""
    more = {key: value for key, value in row.items() if key not in ("text", "entities")}
    return {ROW: more} if more else {}


def from_metadata(value: Any) -> JsonObject:
    """Return metadata as keys of a sentence: those that this project wrote, and all others as "meta"."""
    if not isinstance(value, dict) or not value:
        return {}
    own = value.get(ROW)
    if isinstance(own, str):  # Argilla's metadata are strings and numbers
        own = json.loads(own) if own.startswith("{") else None
    return dict(own) if isinstance(own, dict) else {"meta": value}


def _is_lines(path: Path) -> bool:
    """Return whether a file has one JSON value per line: its first line is an object on its own."""
    with open_input(path) as file:
        lines = (line for _, _, line in bounded_lines(file))
        first = next((line for line in lines if line.strip().strip(b"\xef\xbb\xbf")), b"").strip()
    text = decode_utf8(first, str(path)) if first.startswith((b"{", b"\xef\xbb\xbf{")) else ""
    return text.startswith("{") and text.endswith("}")


def first_value(row: Mapping[str, Any], *keys: str) -> Any:
    """Return the value of the first of these keys that a JSON object has and that is not null, or None."""
    return next((row[key] for key in keys if row.get(key) is not None), None)
