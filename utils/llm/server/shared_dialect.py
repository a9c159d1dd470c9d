"""The dialect of a server during a run: all requests use it, and learn from the refusals of each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from utils.llm.base import Request
from utils.llm.server.dialect import Dialect
from utils.llm.server.endpoint import Endpoint, RefusedError, TooLongError
from utils.llm.server.limits.budget import Budget
from utils.llm.server.refusals import learn, less_thought, refuses_form
from utils.llm.server.replies import Reply

log = logging.getLogger(__name__)

PROBE = "Say hello."
REHEARSED_TOKENS = 2048  # greedy answers of this limit need no rehearsal: no service has a lower one
MAX_LESSONS = 12  # refusals that are understood in one run, so that no two dialects alternate for ever


class ServerDialect:
    """The dialect of one server as far as it is known. What one request learns holds for all, in all threads."""

    def __init__(self, api_base: str, dialect: Dialect, paid: Budget) -> None:
        self.api_base = api_base
        self.current = dialect
        self.paid = paid  # the tokens of the requests that found the dialect
        self._lessons = self._refused_forms = 0
        self._rehearsed = {(False, REHEARSED_TOKENS)}  # whether answers are sampled, and their largest limit
        self._lock = threading.Lock()

    async def complete(self, endpoint: Endpoint, request: Request) -> Reply:
        """Return the reply to a request, which is sent again if a refusal says how to write it.

        Raises the errors of `Endpoint.complete`.
        """
        while True:
            used = self.current
            body = used.body(request)
            try:
                return await endpoint.complete(body)
            except RefusedError as error:
                if self._learn(used, error, body):
                    continue
                if isinstance(error, TooLongError):
                    raise
                if used.has_system and request.messages[0].role == "system":
                    return await self._without_system(endpoint, request, used)
                if request.form is None or not refuses_form(error.refusal):
                    raise
                self._warn_of_refused_form(error)
                request = replace(request, form=None)

    async def _without_system(self, endpoint: Endpoint, request: Request, used: Dialect) -> Reply:
        """Return the reply to a request without its system message; if that was the reason, it holds for all."""
        reply = await endpoint.complete(replace(used, has_system=False).body(request))
        with self._lock:
            self.current = replace(self.current, has_system=False)
        return reply

    def _learn(self, used: Dialect, error: RefusedError, body: Mapping[str, Any]) -> bool:
        """Return whether a request that was refused in the dialect `used` is worth another try."""
        with self._lock:
            if self.current != used:  # another request has learnt something in the meantime
                return True
            learnt = less_thought(used) if isinstance(error, TooLongError) else learn(used, error.refusal, body)
            if learnt == used or self._lessons == MAX_LESSONS:
                return False
            self._lessons += 1
            self.current = learnt
            log.debug("%s; from now on: %s", error, learnt)
            return True

    def _warn_of_refused_form(self, error: RefusedError) -> None:
        with self._lock:
            if not self._refused_forms:
                log.warning("%s; the answers to such sentences are not constrained", error)
            self._refused_forms += 1

    async def rehearse(self, endpoint: Endpoint, requests: Sequence[Request]) -> None:
        """Learn from one short request, before many are sent at once, whether their settings are accepted."""
        if not requests:
            return
        sampling, most = requests[0].sampling, max(request.max_new_tokens for request in requests)
        if any(sampled == (sampling is not None) and limit >= most for sampled, limit in self._rehearsed):
            return
        self._rehearsed.add((sampling is not None, most))
        before = self.current
        with suppress(TooLongError):  # concerns the longest answers only
            await self.complete(endpoint, Request("probe", "entity", PROBE, most, sampling))
        if self.current != before:
            log.info("%s: requests with %s", self.api_base, self.current)
