"""The progress of long work: a bar on a terminal; elsewhere, as in a file or a notebook, a few lines in the log."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, TypeVar

from utils.wording import counted

log = logging.getLogger(__name__)

T = TypeVar("T")
# A line in the log follows the one before after this many seconds, if this share of the work was done in between. When
# the work is slower, it follows after MAX_SECONDS.
MIN_SECONDS, MAX_SECONDS = 10.0, 60.0
MIN_SHARE = 0.1
MB = 1_000_000
TRACKED_DELAY = 1.0  # seconds until the bar of `tracked` appears: shorter work needs none
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Progress:
    """Counts the finished units of some work and shows them, with the time left.

    The time left is estimated from the work of the units that are left: 1 for each unit, unless `work` (the sum of all
    units that are left) and the argument of `advance` say more. `done` units were finished by an earlier run. The bar
    appears after `delay` seconds.

        with Progress("training", total=378, unit="step") as progress:
            for batch in batches:
                progress.advance(note="loss 0.031")
    """

    def __init__(
        self, title: str, *, total: int, unit: str, done: int = 0, work: float | None = None, delay: float = 0.0
    ) -> None:
        self.title = title
        self.total = total
        self.unit = unit
        self.done = done
        self._work_done = 0.0
        self._work_left = float(total - done) if work is None else float(work)
        self._note = ""
        self._bar = _terminal_bar(title, total, done, delay) if _is_terminal() else None
        self._held = ExitStack()
        self.start()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            from tqdm.contrib.logging import logging_redirect_tqdm

            self._held.enter_context(self._bar)
            self._held.enter_context(logging_redirect_tqdm())  # messages appear above the bar
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def start(self) -> None:
        """Begin to count seconds; call it again after a preparation that does not count."""
        self._begin = self._shown_at = time.monotonic()  # the time of the last line in the log
        self._shown = self.done

    def advance(self, *, work: float = 1.0, note: str = "") -> None:
        """Count one unit, and the work that it was; show `note` beside the numbers."""
        self.done += 1
        self._work_done += work
        self._work_left -= work
        self._note = note
        if self._bar is not None:
            self._bar.set_postfix_str(self._words(), refresh=False)
            self._bar.update()
        elif self._is_due():
            self._log()

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._begin

    def _is_due(self) -> bool:
        seconds = time.monotonic() - self._shown_at
        share = (self.done - self._shown) / max(1, self.total)
        return seconds >= MAX_SECONDS or (seconds >= MIN_SECONDS and share >= MIN_SHARE)

    def _log(self) -> None:
        """Log a line such as "training: 76 of 378 steps (20 %), 01:02, loss 0.031, 04:06 left"."""
        self._shown, self._shown_at = self.done, time.monotonic()
        units, share = counted(self.total, self.unit), 100 * self.done // max(1, self.total)
        log.info(
            "%s: %d of %s (%d %%), %s, %s", self.title, self.done, units, share, clock(self.seconds), self._words()
        )

    def _words(self) -> str:
        left = clock(self.seconds * max(0.0, self._work_left) / self._work_done) if self._work_done else "unknown time"
        return f"{self._note}, {left} left" if self._note else f"{left} left"


def tracked(items: Iterable[T], title: str, *, total: int, unit: str, hidden: bool = False) -> Iterator[T]:
    """Yield the items, and show how many of them are finished."""
    if hidden:
        yield from items
        return
    with Progress(title, total=total, unit=unit, delay=TRACKED_DELAY) as progress:
        for item in items:
            yield item
            progress.advance()


def tracked_bytes(items: Iterable[T], title: str, *, total: int, position: Callable[[T], int]) -> Iterator[T]:
    """Yield the items of a file of `total` bytes, and show how much of it is read; `position` is that of an item."""
    with Progress(title, total=total // MB + 1, unit="megabyte", delay=TRACKED_DELAY) as progress:
        for item in items:
            while position(item) >= MB * (progress.done + 1):
                progress.advance()
            yield item


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds, "01:05", or with hours, "2:01:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def quiet_other_bars() -> None:
    """Turn off the bars of other libraries if they are not shown on a terminal; call it before they are imported."""
    if not _is_terminal():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers follows it, too
    # In a notebook without widgets, tqdm warns that it shows text instead.
    warnings.filterwarnings("ignore", message="IProgress not found")


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _terminal_bar(title: str, total: int, done: int, delay: float) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, initial=done, desc=title, bar_format=BAR, delay=delay)
