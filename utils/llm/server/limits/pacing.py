"""When the next request may be sent: limits per minute, limits that a server reports, and fewer at once when busy."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

MINUTE = 60.0  # seconds
MARGIN = 0.5  # seconds added to a minute: requests reach the server later than they are sent
POLL = 0.02  # seconds between two looks at whether another request has ended
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass
class Ticket:
    """A request that may be sent, and its tokens: expected ones until it is answered."""

    number: int
    tokens: float
    time: float  # it counts for a minute from here
    is_open: bool = True


class Pace:
    """The pace of the requests to one server; all threads and event loops of the process share it.

    The number of requests in flight is halved when the server answers that it is busy, and grows again by about one
    with each full round of answers.
    """

    def __init__(self, requests_per_minute: int | None = None, tokens_per_minute: int | None = None) -> None:
        self.requests_per_minute = requests_per_minute
        self.tokens_per_minute = tokens_per_minute
        self._lock = threading.Lock()
        self._recent: deque[Ticket] = deque()
        self._count = 0
        self._most = self._at_once = 1.0  # requests in flight
        self._slowed_at = 0  # tickets up to this number were sent before the last slowing down
        self._paused_until = 0.0

    def allow(self, at_once: int) -> None:
        """Set the largest number of requests in flight; it is reached at once, and left when the server is busy."""
        with self._lock:
            self._most = self._at_once = float(at_once)

    async def admit(self, tokens: float) -> Ticket:
        """Return when a request with about this many tokens may be sent."""
        while True:
            ticket, wait = self._try(tokens)
            if ticket is not None:
                return ticket
            await asyncio.sleep(wait)

    def end(self, ticket: Ticket, tokens: float) -> None:
        """Record the tokens that a request took, 0 if it failed."""
        with self._lock:
            ticket.tokens, ticket.time, ticket.is_open = tokens, time.monotonic(), False
            if tokens and self._at_once < self._most:
                self._at_once = min(self._most, self._at_once + 1 / self._at_once)

    def slow_down(self, ticket: Ticket) -> None:
        """Halve the number of requests in flight, once for all requests that were sent at the same time."""
        with self._lock:
            if ticket.number > self._slowed_at:
                self._slowed_at = self._count
                self._at_once = max(1.0, self._at_once / 2)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Pause until the server's own limits are reset if its headers say that nothing is left."""
        waits = [reset_of(headers, kind) for kind in ("requests", "tokens")]
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + max(waits))

    def _try(self, tokens: float) -> tuple[Ticket | None, float]:
        """Return a ticket, or the seconds to wait before the next try."""
        with self._lock:
            now = time.monotonic()
            while self._recent and not self._recent[0].is_open and self._recent[0].time + MINUTE + MARGIN <= now:
                self._recent.popleft()
            counted = [one for one in self._recent if one.is_open or one.time + MINUTE + MARGIN > now]
            wait = max(self._paused_until - now, self._wait_for_limits(counted, tokens, now))
            if sum(one.is_open for one in counted) >= int(self._at_once):
                wait = max(wait, POLL)
            if wait > 0:
                return None, min(wait, MINUTE)
            self._count += 1
            ticket = Ticket(self._count, tokens, now)
            self._recent.append(ticket)
            return ticket, 0.0

    def _wait_for_limits(self, counted: list[Ticket], tokens: float, now: float) -> float:
        """Return the seconds until a request fits into the limits; one that alone is too large is sent alone."""
        ends = sorted(POLL if one.is_open else one.time + MINUTE + MARGIN - now for one in counted)
        wait = 0.0
        if self.requests_per_minute and len(counted) >= self.requests_per_minute:
            wait = ends[len(counted) - self.requests_per_minute]
        used = sum(one.tokens for one in counted)
        if self.tokens_per_minute and counted and used + tokens > self.tokens_per_minute:
            wait = max(wait, ends[0])
        return wait


@cache
def pace_of(api_base: str, requests_per_minute: int | None, tokens_per_minute: int | None) -> Pace:
    """Return the pace of a server, the same one for all models and runs of the process."""
    return Pace(requests_per_minute, tokens_per_minute)


def read_duration(text: str) -> float:
    """Return the seconds of a duration in a header; 0 if it cannot be read.

    >>> read_duration("1m30.5s"), read_duration("250ms"), read_duration("7"), read_duration("soon")
    (90.5, 0.25, 7.0, 0.0)
    """
    parts = DURATION_PART.findall(text.strip())
    if "".join(number + unit for number, unit in parts) != text.strip():
        return 0.0
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def reset_of(headers: Mapping[str, str], kind: str) -> float:
    """Return the seconds to pause if no requests, or tokens, are left until the next reset."""
    left = headers.get(f"x-ratelimit-remaining-{kind}", "")
    if not re.fullmatch(r"0+", left):
        return 0.0
    return min(read_duration(headers.get(f"x-ratelimit-reset-{kind}", "")), MINUTE)
