"""Asking a server again: how long to wait, what to count, and when to give up."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds of back-off
MOST_FAILURES = 20  # of one request, while others are answered


class TransientError(Exception):
    """A failure that may pass: `busy` where the server only asked for time."""

    def __init__(self, reason: str, *, retry_after: float | None = None, busy: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.busy = busy


class UnansweredError(RuntimeError):
    """One request fails again and again, while the server answers others."""


class Patience:
    """What a run knows of its server: what was tried again, and since when it has failed without one success."""

    def __init__(self, server: str, seconds: float) -> None:
        self.server = server
        self.seconds = seconds
        self.reasons: Counter[str] = Counter()
        self._failing_since: float | None = None

    async def persist(self, attempt: Callable[[int], Awaitable[T]]) -> T:
        """Return what an attempt returns, which is given the number of those that failed before it.

        Raises ConnectionError where the server has failed for longer than the patience lasts, and UnansweredError
        where it fails this request alone.
        """
        tries = failures = 0
        while True:
            try:
                result = await attempt(tries)
            except TransientError as error:
                failures += not error.busy
                if failures == MOST_FAILURES:
                    raise UnansweredError(f"{error}, {failures} times") from None
                await asyncio.sleep(self._wait_after(error, tries))
                tries += 1
            else:
                self._failing_since = None
                return result

    def _wait_after(self, error: TransientError, number: int) -> float:
        """Return the seconds to wait after failure `number` of a request, counting from 0."""
        now = time.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        left = self._failing_since + self.seconds - now
        asked_for = error.retry_after or 0.0
        if left <= 0 or asked_for > left:
            asked = f" and asks to wait {error.retry_after:.0f} s" if error.retry_after else ""
            raise ConnectionError(
                f"{self.server} gave no answer for {now - self._failing_since:.0f} s (last: {error}){asked}; all "
                "earlier answers are kept: the same command goes on from here (--patience is how many seconds to try)"
            )
        if not self.reasons:
            log.warning("%s: %s; asking again", self.server, error)
        self.reasons[str(error)] += 1
        return min(left, back_off(number)) if error.retry_after is None else asked_for + random.uniform(0, FIRST_WAIT)

    def __str__(self) -> str:
        reasons = ", ".join(f"{number} × {reason}" for reason, number in sorted(self.reasons.items()))
        return f"{self.server} was asked again {self.reasons.total()} times ({reasons})"


def back_off(number: int) -> float:
    """Return seconds that double with each failure, with jitter, so that waiting requests do not come back as one."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(number, 16)) * random.uniform(0.5, 1)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, as a number or a date; None where there is none."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None
