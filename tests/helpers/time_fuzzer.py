"""A search for texts that take a function more than linear time: `prefix + unit * n + suffix`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SMALL, FACTOR = 1_500, 8  # characters of the shorter text; the longer one has FACTOR times as many
MAX_GROWTH = 3.0  # of the time per character from the shorter text to the longer one; quadratic time has 8
MAX_MICROSECONDS = 150.0  # per character of the longer text, whatever the growth; usual answers take 1 to 20
MIN_SECONDS = 0.03  # of the longer text; below that, the growth is noise
PARTS = 4  # of a prefix, a unit or a suffix that are drawn anew
SURVIVORS = 24  # of the slowest shapes, from which new ones are made


@dataclass(frozen=True)
class Shape:
    """A text of any length; a NUL in the unit is replaced by the number of the copy."""

    unit: str
    prefix: str = ""
    suffix: str = ""

    def text(self, size: int) -> str:
        """Return the text with about `size` characters."""
        count = max(1, (size - len(self.prefix) - len(self.suffix)) // len(self.unit))
        middle = "".join(self.unit.replace("\0", str(number)) for number in range(count))
        return self.prefix + middle + self.suffix


def seconds(read: Callable[[str], object], text: str, *, repeats: int = 1) -> float:
    """Return the CPU time of this thread for one call; the shortest of several."""
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        read(text)
        times.append(time.thread_time() - begin)
    return min(times)


def complaint(read: Callable[[str], object], shape: Shape, *, max_growth: float = MAX_GROWTH) -> str | None:
    """Return what is wrong with the time that a shape takes, or None. A slow result is measured again."""
    short, long = shape.text(SMALL), shape.text(SMALL * FACTOR)
    for repeats in (1, 3):
        first = seconds(read, short, repeats=repeats)
        if 1e6 * first / len(short) > FACTOR * MAX_MICROSECONDS:
            return f"{shape!r} takes {first:.1f} s for {len(short)} characters"
        second = seconds(read, long, repeats=repeats)
        growth = second / len(long) * len(short) / max(first, 1e-4)
        per_character = 1e6 * second / len(long)
        if second < MIN_SECONDS or (growth <= max_growth and per_character <= MAX_MICROSECONDS):
            return None
    return f"{shape!r} takes {per_character:.0f} microseconds per character, {growth:.1f} times as many as a short text"


def random_shapes(alphabet: Sequence[str], count: int, seed: int) -> list[Shape]:
    """Return shapes from parts of an alphabet; the same for the same seed."""
    rng = random.Random(seed)
    return [Shape(_parts(rng, alphabet, 1), _parts(rng, alphabet), _parts(rng, alphabet)) for _ in range(count)]


def worst_shapes(
    read: Callable[[str], object], alphabet: Sequence[str], *, cpu_seconds: float, first: Sequence[Shape], seed: int
) -> list[Shape]:
    """Return the shapes with most time per character, and those whose time grows most, after a search of `cpu_seconds`.

    New shapes are made from both, because a shape that is fast when it is short may be slow when it is long.
    """
    rng = random.Random(seed)
    slow: list[tuple[float, int, Shape]] = []
    growing: list[tuple[float, int, Shape]] = []
    waiting, number = list(first), 0
    end = time.thread_time() + cpu_seconds
    while time.thread_time() < end:
        shape = waiting.pop() if waiting else _changed(rng, alphabet, [one[2] for one in slow + growing])
        short, long = (seconds(read, shape.text(size)) / size for size in (SMALL // 4, SMALL))
        slow = sorted([*slow, (-long, number, shape)])[:SURVIVORS]
        growing = sorted([*growing, (-long / max(short, 2e-6), number, shape)])[:SURVIVORS]
        number += 1
    return [shape for pair in zip(growing, slow, strict=True) for _, _, shape in pair]


def _parts(rng: random.Random, alphabet: Sequence[str], least: int = 0) -> str:
    return "".join(rng.choices(alphabet, k=rng.randint(least, PARTS)))


def _changed(rng: random.Random, alphabet: Sequence[str], shapes: Sequence[Shape]) -> Shape:
    """Return a new shape, or one of the shapes with a part inserted, removed or exchanged."""
    if not shapes or rng.random() < 0.2:
        return random_shapes(alphabet, 1, rng.getrandbits(32))[0]
    shape = rng.choice(shapes)
    texts = [shape.unit, shape.prefix, shape.suffix]
    which = rng.choices(range(3), (4, 1, 1))[0]
    old = texts[which]
    start = rng.randint(0, len(old))
    end = min(len(old), start + rng.choice((0, 0, 1, 2)))
    if rng.random() < 0.2:
        inserted = rng.choice(shapes).unit
    else:
        inserted = rng.choice(alphabet) * rng.choice((1, 1, 1, 2, 8)) if rng.random() < 0.8 else ""
    texts[which] = (old[:start] + inserted + old[end:])[:60]
    return Shape(texts[0] or rng.choice(alphabet), texts[1], texts[2])
