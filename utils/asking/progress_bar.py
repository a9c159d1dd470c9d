"""A progress bar that knows tokens: how many come a second, and how long what is left will take."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Progress:
    """A bar of answers; the time that is left goes by the answers' expected lengths, not by their number.

    Where long answers come first, as in sorted batches, that is the smaller error. Seconds count from the first call
    of `start`, so that loading a model is none of them.
    """

    def __init__(self, title: str, *, total: int, done: int, expected: float) -> None:
        self._bar = tqdm(total=total, initial=done, desc=title, unit="answer", bar_format=FORMAT)
        self._held = ExitStack()
        self._left = expected  # in the unit of `expected` below, whatever it is
        self._passed = 0.0
        self._tokens = 0
        self._begin = time.monotonic()

    def __enter__(self) -> Progress:
        self._held.enter_context(self._bar)
        self._held.enter_context(logging_redirect_tqdm())  # what is logged meanwhile stands above the bar
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def start(self) -> None:
        """Begin to count seconds."""
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    def advance(self, tokens: int, *, expected: float) -> None:
        """Show that an answer of so many tokens came, for which `expected` stood in the sum."""
        self._tokens += tokens
        self._passed += expected
        self._left -= expected
        self._bar.set_postfix_str(speed(self._tokens, self.seconds, self._passed, self._left), refresh=False)
        self._bar.update()


def speed(tokens: int, seconds: float, passed: float, left: float) -> str:
    """Return tokens a second, and the time that is left, as a bar shows them."""
    rate = tokens / seconds if seconds else 0.0
    return f"{rate:.0f} tokens/s, {tqdm.format_interval(seconds * left / passed)} left"
