"""Retries of failed requests: how long to wait, and when to give up."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from utils.wording import counted

log = logging.getLogger(__name__)

T = TypeVar("T")
FIRST_WAIT, MAX_WAIT = 0.5, 30.0  # seconds before the first retry, and before every later one at most
SHORTEST_ATTEMPT = 1.0  # seconds for an attempt that begins when the patience is nearly over
MAX_FAILURES = 20  # of one request, while others are answered


class TransientError(Exception):
    """A failure after which the request may succeed; `busy` if the server only asked to wait."""

    def __init__(self, reason: str, *, retry_after: float | None = None, busy: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.busy = busy


class UnansweredError(RuntimeError):
    """One request failed too often, while the server answered others."""


class Patience:
    """The failures of a server in one run: their reasons, and the time since it last answered a request.

    A server that neither answers nor fails is waited for `seconds`. It may fail for `failing_seconds`, if they are
    fewer.
    """

    def __init__(self, server: str, seconds: float, *, failing_seconds: float = float("inf")) -> None:
        self.server = server
        self.seconds = seconds
        self.failing_seconds = failing_seconds
        self.reasons: Counter[str] = Counter()
        self._in_flight = 0
        self._silent_since = 0.0  # the last answer, or the first request in flight if it is later
        self._failing_since: float | None = None

    async def persist(self, attempt: Callable[[int], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the first attempt that succeeds; `attempt` gets the number of attempts before it.

        Raises ConnectionError if the server has not answered anything for `seconds`, and UnansweredError if only
        this request fails.
        """
        if not self._in_flight:
            self._silent_since = time.monotonic()
        self._in_flight += 1
        try:
            return await self._persist(attempt)
        finally:
            self._in_flight -= 1

    async def _persist(self, attempt: Callable[[int], Coroutine[Any, Any, T]]) -> T:
        tries = failures = 0
        while True:
            try:
                result = await self._result_of(attempt(tries))
            except TransientError as error:
                failures += not error.busy
                if failures == MAX_FAILURES:
                    raise UnansweredError(f"{error}, {counted(failures, 'time')}") from None
                await asyncio.sleep(self._wait_after(error, tries))
                tries += 1
            else:
                self._silent_since, self._failing_since = time.monotonic(), None
                return result

    async def _result_of(self, attempt: Coroutine[Any, Any, T]) -> T:
        """Return the result of an attempt, which is cancelled if the server answers nothing for `seconds`."""
        task = asyncio.create_task(attempt)
        shortest = time.monotonic() + SHORTEST_ATTEMPT
        try:
            while (left := max(self._silent_since + self.seconds, shortest) - time.monotonic()) > 0:
                await asyncio.wait({task}, timeout=left)
                if task.done():
                    return task.result()
            raise self._no_answer("time-out")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _wait_after(self, error: TransientError, number: int) -> float:
        """Return the seconds to wait after failure `number` of a request, counted from 0."""
        now = time.monotonic()
        self._failing_since = now if self._failing_since is None else self._failing_since
        left = min(self._silent_since + self.seconds, self._failing_since + self.failing_seconds) - now
        asked_for = error.retry_after or 0.0
        if left <= 0 or asked_for > left:
            raise self._no_answer(str(error), f" and asks to wait {asked_for:.0f} s" if asked_for else "")
        if not self.reasons:
            log.warning("%s: %s; retrying", self.server, error)
        self.reasons[str(error)] += 1
        return min(left, back_off(number)) if error.retry_after is None else asked_for + random.uniform(0, FIRST_WAIT)

    def _no_answer(self, reason: str, asked: str = "") -> ConnectionError:
        return ConnectionError(
            f"{self.server} gave no answer for {time.monotonic() - self._silent_since:.0f} s (last error: {reason})"
            f"{asked}. All earlier answers are saved: run the same command again to continue (or wait longer with "
            "--patience=SECONDS)"
        )

    def __str__(self) -> str:
        reasons = ", ".join(f"{number} × {reason}" for reason, number in sorted(self.reasons.items()))
        return f"{self.server}: {counted(self.reasons.total(), 'retry')} ({reasons})"


def back_off(number: int) -> float:
    """Return seconds to wait. They double with each failure, and vary at random to spread the retries."""
    return min(MAX_WAIT, FIRST_WAIT * 2 ** min(number, 16)) * random.uniform(0.5, 1)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait; None if there is none, or it cannot be read.

    The header is a number of seconds, or a date.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None
