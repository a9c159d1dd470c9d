"""The header of a .gguf file, read without llama.cpp: whether the file is complete, and its chat template.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

CHAT_TEMPLATE, ALIGNMENT = "tokenizer.chat_template", "general.alignment"
MAX_DIMENSIONS = 8
# struct's letters of the types of values; strings and arrays are read by their lengths.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
# Type of a tensor -> its values in a block, and the bytes of a block. The sizes of other types are not checked.
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84)}
_BLOCKS |= {11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 20: (32, 18), 30: (1, 2), 39: (32, 17)}


class _DamagedError(Exception):
    """What is wrong with a file."""


def read_chat_template(path: Path) -> str | None:
    """Return the chat template in a .gguf file, or None if it has none.

    Raises ValueError if the file is no GGUF file, or incomplete.
    """
    if path.stat().st_size < 24:
        raise ValueError(f"{path} is not a complete GGUF file: download it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            template = _Header(data).settings.get(CHAT_TEMPLATE)
        except _DamagedError as error:
            raise ValueError(f"{path} is damaged or incomplete ({error}): download it again") from None
        except (struct.error, UnicodeDecodeError):
            raise ValueError(f"{path} is damaged or incomplete (its header ends early): download it again") from None
    if template is not None and not isinstance(template, str):
        raise ValueError(f"{path} is damaged ({CHAT_TEMPLATE} is not a text): download it again")
    return template


class _Header:
    """The numbers and texts in a header, and a check that all tensors are in the file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.position = 0
        magic, version, tensors, values = self._numbers("4sIQQ")
        if magic != b"GGUF":
            raise _DamagedError("it does not begin with GGUF")
        if version not in (2, 3):
            raise _DamagedError(f"its version is {version}, not 2 or 3")
        self.settings = dict(self._setting() for _ in range(values))
        ends = [self._end_of_tensor() for _ in range(tensors)]
        alignment = self.settings.get(ALIGNMENT, 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise _DamagedError(f"{ALIGNMENT} is {alignment!r}")
        missing = -(-self.position // alignment) * alignment + max(ends, default=0) - len(data)
        if ends and missing > 0:
            raise _DamagedError(f"{missing} of its bytes are missing")

    def _numbers(self, form: str) -> tuple[Any, ...]:
        numbers = struct.unpack_from(f"<{form}", self.data, self.position)
        self.position += struct.calcsize(f"<{form}")
        return numbers

    def _bytes(self) -> bytes:
        (length,) = self._numbers("Q")
        self._skip(length)
        return self.data[self.position - length : self.position]

    def _skip(self, length: int) -> None:
        self.position += length
        if self.position > len(self.data):
            raise _DamagedError("its header ends early")

    def _setting(self) -> tuple[str, Any]:
        name = self._bytes().decode("utf-8")
        (kind,) = self._numbers("I")
        return name, self._value(kind)

    def _value(self, kind: int) -> Any:
        """Return a number or a text; None for an array, which is skipped."""
        if kind == _STRING:
            return self._bytes().decode("utf-8", "replace")
        if kind in _NUMBERS:
            return self._numbers(_NUMBERS[kind])[0]
        if kind != _ARRAY:
            raise _DamagedError(f"a value has the unknown type {kind}")
        inner, length = self._numbers("IQ")
        if inner in _NUMBERS:
            self._skip(length * struct.calcsize(f"<{_NUMBERS[inner]}"))
        elif inner == _STRING:
            for _ in range(length):
                self._skip(self._numbers("Q")[0])
        else:
            raise _DamagedError(f"an array has the unknown type {inner}")
        return None

    def _end_of_tensor(self) -> int:
        """Return the end of a tensor's values, counted from the end of the header."""
        self._bytes()
        (dimensions,) = self._numbers("I")
        if dimensions > MAX_DIMENSIONS:
            raise _DamagedError(f"a tensor has {dimensions} dimensions")
        size = 1
        for length in self._numbers(f"{dimensions}Q"):
            size *= length
        kind, offset = self._numbers("IQ")
        values, width = _BLOCKS.get(kind, (1, 0))
        return int(offset) + -(-size // values) * width
