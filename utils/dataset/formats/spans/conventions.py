"""Ways to count offsets, and those that a format promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from utils.dataset.formats.spans.positions import Newline, OffsetUnit

Ends = Literal["exclusive", "inclusive"]

UNITS: tuple[OffsetUnit, ...] = ("character", "utf16", "byte")
MAX_SHIFT = 2  # characters or tokens


@dataclass(frozen=True, slots=True)
class Convention:
    """How the offsets of a file are counted: in what unit, and what is added to each start and end."""

    unit: OffsetUnit = "character"
    start: int = 0
    end: int = 0  # 1 if the last character or token is included
    newline: Newline = "kept"

    @property
    def shift(self) -> int:
        """How far this is from plain offsets; of two conventions that fit, the nearer one is meant."""
        return abs(self.start) + abs(self.end - self.start) + (self.newline != "kept") + (self.unit != "character")

    def __str__(self) -> str:
        unit = {"utf16": "UTF-16 code units", "byte": "bytes", "character": "characters", "token": "tokens"}[self.unit]
        ends = {0: "exclusive", 1: "inclusive"}.get(self.end - self.start, f"shifted by {self.end - self.start}")
        moved = f", counted from {-self.start}" if self.start else ""
        lines = {"kept": "", "one": ", \\r\\n counted as one", "two": ", \\n counted as two"}[self.newline]
        return f"{unit}, ends {ends}{moved}{lines}"


INCLUSIVE = Convention(end=1)
EXCLUSIVE = Convention()


@dataclass(frozen=True, slots=True)
class Offsets:
    """What a format promises about its offsets, and what the user said."""

    usual: Convention = EXCLUSIVE
    varies: bool = False  # versions of the format differ in their ends: say which one was found
    unit: OffsetUnit | None = None  # given by the user
    ends: Ends | None = None  # given by the user

    def candidates(self, *, tokens: bool) -> list[Convention]:
        """Return the conventions to try, the nearest to the usual one first."""
        units: Sequence[OffsetUnit] = (self.unit,) if self.unit else ("token", "character") if tokens else UNITS
        around = range(-MAX_SHIFT, MAX_SHIFT + 1)
        newlines: Sequence[Newline] = ("kept",) if tokens else ("kept", "one", "two")
        made = [
            Convention(unit, start, end, newline)
            for unit, newline, start, end in product(units, newlines, around, around)
            if self.ends is None or (start, end) == (0, int(self.ends == "inclusive"))
        ]
        return sorted(made, key=lambda one: (one.newline != "kept", one.unit != units[0], one.shift))

    def first(self, *, tokens: bool) -> Convention:
        """Return the usual convention, with what the user said."""
        unit = self.unit or ("token" if tokens else self.usual.unit)
        end = self.usual.end if self.ends is None else int(self.ends == "inclusive")
        return replace(self.usual, unit=unit, end=end)
