"""JSON and JSON Lines files: errors name the file and the line, and files are written completely or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from utils.files.locks import remove_if_unlocked, try_lock
from utils.files.own_files import check_replaceable

JsonObject = dict[str, Any]
MIN_ZEROS = 4  # in bytes that seem to be UTF-16; fewer are stray characters


def read_rows(path: Path) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line of a JSON Lines file that is not empty.

    Raises FileNotFoundError, or ValueError that names file and line if a line is not a JSON object.
    """
    with path.open("rb") as file:  # as bytes, because text would also be split at U+2028 inside strings
        yield from parse_rows(file, str(path))


def parse_rows(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line that is not empty; `name` is the source in error messages."""
    for number, line in enumerate(lines, start=1):
        text = decode_utf8(line, f"{name}:{number}")
        if text.strip():
            yield number, _object(text, f"{name}:{number}")


def read_json(path: Path) -> Any:
    """Return the value of a JSON file; raise ValueError if an object has the same key twice."""
    text = decode_utf8(path.read_bytes(), str(path))
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line; `path` is replaced only when everything is on the disk."""
    with replace_file(path) as file:
        for row in rows:
            file.write(encode_json(row) + b"\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; `path` is replaced only when everything is on the disk."""
    with replace_file(path) as file:
        file.write(encode_json(value, indent=1) + b"\n")


def encode_json(value: Any, indent: int | None = None) -> bytes:
    """Return `value` as JSON in UTF-8, or escaped to ASCII if it contains a lone surrogate."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent).encode()


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file to write, and rename it to `path` when the block ends without an error.

    Files that were left by killed runs are removed. A link is replaced, and its target is not changed. Raises
    ValueError if `path` is a FIFO or a device.
    """
    check_replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{escape(path.name)}.*.partial"):
        remove_if_unlocked(leftover)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with name_in_errors(path):
        file = try_lock(partial)
        if file is None:
            raise RuntimeError(f"{path} is being written by another process; wait for it, or stop it")
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
def name_in_errors(path: Path) -> Iterator[None]:
    """Add `path` to OSErrors without a file name, such as the error of a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def decode_utf8(data: bytes, source: str) -> str:
    """Return the text of UTF-8 bytes, without a byte order mark; raise ValueError that names `source`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or _is_utf16(data):  # UTF-16 without a byte order mark can be valid UTF-8 with zeros
        remedy = f"convert the file first, for example: iconv -f {_likely_encoding(data)} -t UTF-8 OLD > NEW"
        raise ValueError(f"{source}: not UTF-8; {remedy}")
    if not text.strip("\0") and text:
        raise ValueError(f"{source}: not UTF-8 text but NUL characters alone, as a crash may leave them: remove them")
    if "\0" in text:
        before = text[max(0, text.index("\0") - 20) : text.index("\0")]
        raise ValueError(
            f"{source}: contains {text.count(chr(0))} NUL characters, the first after {before!r}: remove them, for "
            "example with: tr -d '\\000' < OLD > NEW"
        )
    return text


def _is_utf16(data: bytes) -> bool:
    """Return whether bytes seem to be UTF-16 without a byte order mark.

    In UTF-16, each Latin character has one zero, always as the first or always as the second of its two bytes.
    """
    zeros = [data[byte::2].count(0) for byte in (0, 1)]
    return min(zeros) == 0 and max(zeros) >= max(MIN_ZEROS, len(data) / 4)


def _likely_encoding(data: bytes) -> str:
    """Return the most likely encoding of bytes that are not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    if b"\0" in data:
        return "UTF-16LE" if data[1:2] == b"\0" else "UTF-16BE"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "LATIN1"
    return "GB18030"


def _object(text: str, source: str) -> JsonObject:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: not valid JSON ({error}); expected one JSON object per line") from None
    if not isinstance(row, dict):
        raise ValueError(f"{source}: expected a JSON object, found {type(row).__name__}")
    return row


def _without_repeats(pairs: list[tuple[str, Any]]) -> JsonObject:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} occurs twice in one object")
    return row
