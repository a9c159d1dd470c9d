"""An LLM behind a server, with up to `batch_size` requests in flight at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

from utils.llm.base import Answer, LLMOptions, Request
from utils.llm.server.background import iterate_in_background
from utils.llm.server.endpoint import Endpoint, TooLongError
from utils.llm.server.limits.budget import Budget, BudgetError
from utils.llm.server.limits.pacing import pace_of
from utils.llm.server.retrying import Patience, UnansweredError
from utils.llm.server.shared_dialect import ServerDialect
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

Outcome = Answer | TooLongError | UnansweredError | BudgetError


class OpenAILLM:
    """A model of a server."""

    def __init__(self, model: str, options: LLMOptions, server: ServerDialect) -> None:
        self.model = model
        self.api_base = str(options.api_base)
        self.options = options
        self.server = server
        self.pace = pace_of(self.api_base, options.requests_per_minute, options.tokens_per_minute)
        self.budget = Budget(options.prices, options.max_cost)
        self.budget.take_over(server.paid)

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        patience = Patience(self.api_base, self.options.patience)
        try:
            yield from iterate_in_background(self._answers(requests, patience))
        finally:
            if patience.reasons:
                log.info("%s", patience)

    async def _answers(self, requests: Sequence[Request], patience: Patience) -> AsyncIterator[Answer]:
        unanswered: list[str] = []
        too_long = answered = 0
        self.pace.allow(self.options.batch_size)
        async with Endpoint(self.api_base, self.model, patience, self.pace, self.budget) as endpoint:
            await self.server.rehearse(endpoint, requests)
            answer = partial(self._answer, endpoint)
            async for request, outcome in _outcomes(requests, self.options.batch_size, answer, self._can_afford):
                answered += not isinstance(outcome, BudgetError)
                if isinstance(outcome, Answer):
                    yield outcome
                elif isinstance(outcome, TooLongError):
                    too_long += 1
                    yield Answer(request, "", "length", 0, 0)
                elif isinstance(outcome, UnansweredError):
                    unanswered.append(f"sentence {request.id} ({outcome})")
        if too_long:
            log.warning(
                "%s %s not fit into the context of %s: %s empty",
                counted(too_long, "prompt"),
                agreeing(too_long, "does", "do"),
                self.model,
                agreeing(too_long, "its answer is", "their answers are"),
            )
        if answered < len(requests):
            raise self.budget.exhausted(len(requests) - answered)
        if unanswered:
            number = counted(len(requests), "request")
            raise RuntimeError(
                f"{self.api_base} did not answer {len(unanswered)} of {number}, the first for "
                f"{unanswered[0]}. All other answers are saved: run the same command again to ask for the rest"
            )

    async def _answer(self, endpoint: Endpoint, request: Request) -> Outcome:
        """Return the answer to a request, or the error that concerns this request only."""
        try:
            reply = await self.server.complete(endpoint, request)
        except (TooLongError, UnansweredError, BudgetError) as error:
            return error
        finally:
            self.budget.release(id(request))
        return Answer(
            request,
            reply.text,
            reply.finish,
            reply.prompt_tokens,
            reply.answer_tokens,
            reply.retries,
            reply.cached_tokens,
            reply.thought_tokens,
        )

    def _can_afford(self, request: Request) -> bool:
        """Return whether a request cannot exceed the rest of the budget; then its highest cost is reserved."""
        dialect = self.server.current
        return self.budget.reserve(id(request), dialect.body(request), dialect.limit(request))


async def _outcomes(
    requests: Sequence[Request],
    at_once: int,
    answer: Callable[[Request], Coroutine[Any, Any, Outcome]],
    can_afford: Callable[[Request], bool],
) -> AsyncIterator[tuple[Request, Outcome]]:
    """Yield each request with its outcome as it comes; closing the iterator cancels the requests in flight.

    A request that the budget does not allow waits until others have ended, which may cost less than was reserved for
    them. If none is in flight, the iterator ends.
    """
    waiting = deque(requests)
    running: dict[asyncio.Task[Outcome], Request] = {}
    try:
        while True:
            while waiting and len(running) < at_once and can_afford(waiting[0]):
                request = waiting.popleft()
                running[asyncio.create_task(answer(request))] = request
            if not running:
                return
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            # An error ends the run, so the answers that came at the same time are yielded before it is raised.
            for task in sorted(done, key=lambda task: task.exception() is not None):
                yield running.pop(task), task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
