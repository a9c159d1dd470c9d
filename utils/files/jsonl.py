"""JSON and JSON Lines files: read with the place of every error, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from utils.files.locks import lock, remove_if_free

JsonObject = dict[str, Any]


def read_rows(path: Path) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line of a JSON Lines file that is not blank.

    Raises FileNotFoundError, or ValueError that names file and line where a line is not a JSON object.
    """
    with path.open("rb") as file:  # as bytes, only "\n" ends a line: U+2028 may stand inside a string
        yield from parse_rows(file, str(path))


def parse_rows(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line that is not blank; `name` is what errors call their source."""
    for number, line in enumerate(lines, start=1):
        text = decode(line, f"{name}:{number}")
        if text.strip():
            yield number, _object(text, f"{name}:{number}")


def read_json(path: Path) -> Any:
    """Return the value that a JSON file holds; an object that says one key twice is refused."""
    text = decode(path.read_bytes(), str(path))
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line; `path` is replaced only once everything is on disk."""
    with replace_file(path) as file:
        for row in rows:
            file.write(encode(row) + b"\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; `path` is replaced only once everything is on disk."""
    with replace_file(path) as file:
        file.write(encode(value, indent=1) + b"\n")


def encode(value: Any, indent: int | None = None) -> bytes:
    """Return `value` as JSON in UTF-8; escaped to ASCII where it holds half of a surrogate pair."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write beside `path`, and rename it to `path` if the block ends well.

    What killed runs left there of their own is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{escape(path.name)}.*.partial"):
        remove_if_free(leftover)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with naming(path):
        file = lock(partial)
        if file is None:
            raise RuntimeError(f"{path} is being written twice at once")
        with file:
            try:
                file.truncate(0)
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the operating system that names no file, such as that of a full disk, name `path`."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def decode(data: bytes, place: str) -> str:
    """Return the text of UTF-8 bytes, without a byte order mark; raise ValueError that names `place`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without a mark can look like UTF-8 with zeros in it
        remedy = f"convert the file first, for example: iconv -f {_likely_encoding(data)} -t UTF-8 OLD > NEW"
        raise ValueError(f"{place}: not UTF-8; {remedy}")
    return text


def _likely_encoding(data: bytes) -> str:
    """Return the encoding that bytes which are not UTF-8 are most likely in."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if b"\0" in data:
        return "UTF-16LE" if data[1:2] == b"\0" else "UTF-16BE"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "LATIN1"
    return "GB18030"


def _object(text: str, place: str) -> JsonObject:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: not valid JSON ({error}); one object a line is expected") from None
    if not isinstance(row, dict):
        raise ValueError(f"{place}: a JSON object is expected, found {type(row).__name__}")
    return row


def _without_repeats(pairs: list[tuple[str, Any]]) -> JsonObject:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} stands twice in one object")
    return row
