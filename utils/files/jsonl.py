"""JSON and JSON Lines files: errors name the file and the line, and files are written completely or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from utils.files.compressed import MIB, bounded_lines, check_line, ending_of_compressed, open_input
from utils.files.locks import remove_if_unlocked, try_lock
from utils.files.own_files import check_replaceable
from utils.wording import counted

JsonObject = dict[str, Any]
Line = tuple[int, bytes]  # the number of a line in its file, from 1, and its bytes
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_encode = json.JSONEncoder(ensure_ascii=False).encode  # made once, which a line needs less time for than json.dumps
MAX_TEXT = 256 * MIB  # bytes of a file that is read as a whole
MAX_DIGITS = 100  # of a whole number in a JSON file; from 310 on, it is no valid float
MIN_ZEROS = 4  # in bytes that seem to be UTF-16; fewer are stray characters


def read_rows(path: Path) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line of a JSON Lines file that is not empty.

    Raises FileNotFoundError, or ValueError that names file and line if a line is not a JSON object.
    """
    for number, line in read_lines(path):
        yield number, parse_row(line, f"{path}:{number}")


def read_lines(path: Path) -> Iterator[Line]:
    """Yield (line number, bytes) for every line of a file that is not empty, without parsing it."""
    return ((number, line) for number, _, line in locate_lines(path))


def locate_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield (line number, position of its first byte, bytes) for every line of a file that is not empty."""
    with open_input(path) as file:
        for number, start, line in bounded_lines(file):
            check_line(line, path, number)
            if line.startswith(b"{") or not _is_empty(line, path, number):
                yield number, start, line


def count_lines(path: Path) -> int:
    """Return the number of lines of a file that are not empty."""
    return sum(1 for _ in read_lines(path))


def parse_rows(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, JsonObject]]:
    """Yield (line number, object) for every line that is not empty; `name` is the source in error messages."""
    for number, line in enumerate(lines, start=1):
        check_line(line, name, number)
        if line.startswith(b"{") or not _is_empty(line, name, number):
            yield number, parse_row(line, f"{name}:{number}")


def parse_row(line: bytes, source: str) -> JsonObject:
    """Return the object of a line; raise ValueError that names `source` if the line is not a JSON object."""
    text = decode_utf8(line, source)
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: not valid JSON ({error}); expected one JSON object per line") from None
    if not isinstance(row, dict):
        raise ValueError(f"{source}: expected a JSON object, found {type(row).__name__}")
    return row


def read_json(path: Path, *, most: int | None = MAX_TEXT) -> Any:
    """Return the value of a JSON file; raise ValueError if an object has the same key twice, or a number is absurd."""
    text = read_text(path, most=most)
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from None


def read_text(path: Path, *, most: int | None = MAX_TEXT) -> str:
    """Return the text of a file of UTF-8; raise ValueError if it is something else, or has more than `most` bytes."""
    with open_input(path) as file:
        data = file.read(-1 if most is None else most + 1)
    if most is not None and len(data) > most:
        raise ValueError(f"{path}: larger than {most // MIB} MiB: is this the right file?")
    return decode_utf8(data, str(path))


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
        return (json.dumps(value, ensure_ascii=False, indent=indent) if indent else _encode(value)).encode()
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
    """Add `path` to errors of the system without a file name, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # else it is a message of this project, which would be lost
            error.filename = error.filename or str(path)
        raise


def decode_utf8(data: bytes, source: str) -> str:
    """Return the text of UTF-8 bytes, without a byte order mark; raise ValueError that names `source`."""
    if b"\0" not in data and not data.startswith(UTF16_MARKS):
        try:  # faster than suppress(), and most of the time of a line
            return data.decode().removeprefix("\ufeff")
        except UnicodeDecodeError:
            pass
    if ending := ending_of_compressed(data):
        raise ValueError(f"{source}: not text but compressed data: give the file a name that ends in {ending}")
    encoding = _utf16_name(data)  # UTF-16 without a byte order mark can be valid UTF-8 with zeros
    if not data.strip(b"\0") and data:
        raise ValueError(f"{source}: not UTF-8 text but NUL characters alone, as a crash may leave them: remove them")
    try:
        text = None if encoding else data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if b"\0" in data and not encoding:
        raise ValueError(f"{source}: contains {_zeros(data)}: remove them, for example with: tr -d '\\000' < OLD > NEW")
    if text is None:
        example = f"iconv -f {encoding or _likely_encoding(data)} -t UTF-8 OLD > NEW"
        raise ValueError(f"{source}: not UTF-8; convert the file first, for example: {example}")
    return text


def _zeros(data: bytes) -> str:
    """Return the number of NUL characters in words, and the text before the first one."""
    before = data[: data.index(b"\0")].decode("utf-8", "replace")[-20:]
    return f"{counted(data.count(0), 'NUL character')}, the first after {before!r}"


def _utf16_name(data: bytes) -> str:
    """Return the name of UTF-16 with or without a byte order mark if bytes seem to be that; else "".

    In UTF-16, each Latin character has one zero, always as the first or always as the second of its two bytes. Text
    that is read as UTF-16 by mistake has characters that are not in use, or other control characters.
    """
    if data.startswith(UTF16_MARKS):
        return "UTF-16"
    zeros = [data[byte::2].count(0) for byte in (0, 1)]
    if min(zeros) or max(zeros) < max(MIN_ZEROS, len(data) / 4 if _is_utf8(data) else 0):
        return ""
    name = "UTF-16LE" if zeros[1] else "UTF-16BE"
    text = data[: len(data) // 2 * 2].decode(name, "replace")
    return name if all(character.isprintable() or character.isspace() for character in text) else ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _likely_encoding(data: bytes) -> str:
    """Return the most likely encoding of bytes that are neither UTF-8 nor UTF-16."""
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "LATIN1"
    return "GB18030"


def _is_empty(line: bytes, name: object, number: int) -> bool:
    """Return whether a line has only whitespace. It is decoded for that, so do not ask about every line."""
    return not decode_utf8(line, f"{name}:{number}").strip()


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _without_repeats(pairs: list[tuple[str, Any]]) -> JsonObject:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} occurs twice in one object")
    return row
