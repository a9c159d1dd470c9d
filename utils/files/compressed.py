"""Input files and their lines; those compressed with gzip (.gz) or Zstandard (.zst) are read as if they were not.

A file can come from anyone: neither a line nor what a compressed file unpacks to may fill the memory or the disk.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO, Literal, cast

Compression = Literal["gzip", "zstd"]
SUFFIXES: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
FIRST_BYTES = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
INSTALL = "pip install zstandard"
# Compressed bytes that are read at a time. A block of Zstandard has at least 4 bytes and gives at most 128 KiB, so this
# many bytes give at most 8 MiB.
ZSTD_BYTES = 1 << 8
BUFFER = 1 << 16  # bytes
MIB = 1 << 20
MAX_LINE = 32 * MIB  # bytes; in memory, JSON can be 20 times as large
# A compressed file may unpack to this many times its size. Sentences as JSON Lines unpack to 5 to 30 times their size,
# and a file that is made to fill the memory or the disk to 1,000 times (gzip) and more.
MAX_RATIO = 200
SMALL_CONTENT = 4 * MIB  # up to here, any ratio is allowed


def open_input(path: Path) -> BinaryIO:
    """Return a file opened for reading; what is read from a compressed file is its content.

    The ending of its name says how a file is compressed. Reading raises ValueError that names the file if it is
    damaged, cut off or unpacks to far more than any text does, and ImportError if the package for it is missing.
    """
    file = path.open("rb", BUFFER)
    kind = SUFFIXES.get(path.suffix)
    if kind is None:
        return file
    pieces = _gzip_pieces(file) if kind == "gzip" else _zstd_pieces(file, path)
    return cast(BinaryIO, io.BufferedReader(_Content(path, kind, file, pieces), BUFFER))


def bounded_lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield (line number, position of its first byte, bytes) for every line, so that no line can fill the memory.

    A line that is longer than MAX_LINE comes as its first MAX_LINE + 1 bytes, and the rest of it is skipped. Only a
    line feed ends a line: text would also be split at U+2028 inside strings.
    """
    read = partial(file.readline, MAX_LINE + 1)
    start = 0
    for number, line in enumerate(iter(read, b""), start=1):
        yield number, start, line
        start += len(line)
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = read()  # noqa: PLW2901
            start += len(line)


def check_line(line: bytes, name: object, number: int) -> None:
    """Raise ValueError that names the file and the number of a line of `bounded_lines` if it is too long."""
    if len(line) > MAX_LINE:
        raise ValueError(f"{name}:{number}: the line is longer than {MAX_LINE // MIB} MiB: is this the right file?")


def open_seekable(path: Path) -> BinaryIO:
    """Return a file opened for reading at any position; a compressed one is first copied to a temporary file."""
    if path.suffix not in SUFFIXES:
        return path.open("rb")
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # it is deleted with the last reference to it
    with open_input(path) as content:
        copyfileobj(content, copy)
    return cast(BinaryIO, copy)


def ending_of_compressed(data: bytes) -> str | None:
    """Return the ending that the name of a file with these first bytes should have; None if they are not compressed."""
    return next((suffix for suffix, first in FIRST_BYTES.items() if data.startswith(first)), None)


def content_name(name: str) -> str:
    """Return the name of a file without the ending of its compression: train.jsonl for train.jsonl.gz."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot + ending in SUFFIXES else name


def content_suffix(path: Path) -> str:
    """Return the ending of the name of a file's content: .jsonl for train.jsonl.gz."""
    return Path(content_name(path.name)).suffix


def find_input(path: Path) -> Path:
    """Return a file or, if it is missing, its compressed form: train.jsonl, train.jsonl.gz or train.jsonl.zst.

    If none exists, `path` is returned. Raises ValueError if several of them exist.
    """
    forms = [path, *(path.with_name(path.name + suffix) for suffix in SUFFIXES)]
    found = [form for form in forms if form.is_file()]
    if len(found) > 1:
        names = " and ".join(form.name for form in found)
        raise ValueError(f"{path.parent} has {names}, and both may be meant: keep one of them, and delete the other")
    return found[0] if found else path


class _Content(io.RawIOBase):
    """The content of a compressed file, which comes in pieces."""

    def __init__(self, path: Path, kind: Compression, file: BinaryIO, pieces: Iterator[bytes]) -> None:
        self._path = path
        self._kind = kind
        self._file = file
        self._pieces = pieces
        self._left = memoryview(b"")
        self._size = 0  # of the content so far, in bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = self._next_piece()
            if piece is None:
                return 0
            self._left = memoryview(piece)
            self._count(len(piece))
        number = min(len(buffer), len(self._left))
        buffer[:number] = self._left[:number]
        self._left = self._left[number:]
        return number

    def close(self) -> None:
        self._file.close()
        super().close()

    def _count(self, size: int) -> None:
        """Add the size of a piece; raise ValueError if the content is far larger than the file."""
        self._size += size
        if self._size > max(SMALL_CONTENT, MAX_RATIO * self._file.tell()):
            raise ValueError(
                f"{self._path}: unpacks to more than {MAX_RATIO} times its size, which no file of sentences does: if "
                "you trust it, unpack it yourself"
            )

    def _next_piece(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except (EOFError, gzip.BadGzipFile, zlib.error, _ZstdDataError) as error:
            raise ValueError(
                f"{self._path}: the {self._kind} file is damaged or cut off ({error}): copy or download it again"
            ) from None


class _ZstdDataError(Exception):
    """The bytes are not a whole file of Zstandard."""


def _gzip_pieces(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as content:
        is_empty = True
        while piece := content.read(BUFFER):
            is_empty = False
            yield piece
        if is_empty and not file.tell():
            raise EOFError("the file is empty")


def _zstd_pieces(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Yield the content of all frames of a file."""
    make, errors = _zstd(path)
    frame, data = make(), b""
    is_complete = False  # whether the last frame has ended
    while data := data or file.read(ZSTD_BYTES):
        try:
            piece = frame.decompress(data)
        except errors as error:
            raise _ZstdDataError(str(error)) from None
        is_complete, data = frame.eof, frame.unused_data
        if is_complete:
            frame = make()
        yield piece
    if not is_complete:
        raise _ZstdDataError("its end is missing")


def _zstd(path: Path) -> tuple[Callable[[], Any], type[Exception]]:
    """Return a function that makes a decompressor of one frame, and the errors that it raises."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14

        return zstd.ZstdDecompressor, zstd.ZstdError
    except ImportError:
        pass
    try:
        import zstandard
    except ImportError:
        raise ImportError(
            f"{path} is compressed with Zstandard, and the package for it is missing: {INSTALL}"
        ) from None
    return lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError
