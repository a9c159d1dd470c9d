"""An LLM behind a server, with up to `batch_size` requests in flight at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from utils.llm.base import Answer, LLMOptions, Request
from utils.llm.server.background import iterate_in_background
from utils.llm.server.dialect import Dialect
from utils.llm.server.endpoint import Endpoint, RefusedError, TooLongError
from utils.llm.server.replies import Reply
from utils.llm.server.retrying import Patience, UnansweredError
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

Outcome = Answer | TooLongError | UnansweredError


class OpenAILLM:
    """A model of a server."""

    def __init__(self, model: str, options: LLMOptions, dialect: Dialect) -> None:
        self.model = model
        self.api_base = str(options.api_base)
        self.options = options
        self.dialect = dialect

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        patience = Patience(self.api_base, self.options.patience)
        try:
            yield from iterate_in_background(self._answers(requests, patience))
        finally:
            if patience.reasons:
                log.info("%s", patience)

    async def _answers(self, requests: Sequence[Request], patience: Patience) -> AsyncIterator[Answer]:
        unanswered: list[str] = []
        too_long = 0
        async with Endpoint(self.api_base, self.model, patience) as endpoint:
            answer = partial(self._answer, endpoint)
            async for request, outcome in _outcomes(requests, self.options.batch_size, answer):
                if isinstance(outcome, Answer):
                    yield outcome
                elif isinstance(outcome, TooLongError):
                    too_long += 1
                    yield Answer(request, "", "length", 0, 0)
                else:
                    unanswered.append(f"sentence {request.id} ({outcome})")
        if too_long:
            log.warning(
                "%s %s not fit into the context of %s: %s empty",
                counted(too_long, "prompt"),
                agreeing(too_long, "does", "do"),
                self.model,
                agreeing(too_long, "its answer is", "their answers are"),
            )
        if unanswered:
            number = counted(len(requests), "request")
            raise RuntimeError(
                f"{self.api_base} did not answer {len(unanswered)} of {number}, the first for "
                f"{unanswered[0]}. All other answers are saved: run the same command again to ask for the rest"
            )

    async def _answer(self, endpoint: Endpoint, request: Request) -> Outcome:
        """Return the answer to a request, or the error that concerns this request only."""
        try:
            reply = await self._reply(endpoint, request)
        except (TooLongError, UnansweredError) as error:
            return error
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

    async def _reply(self, endpoint: Endpoint, request: Request) -> Reply:
        """Return the reply to a request; if the server refuses its system message, to the request without one."""
        dialect = self.dialect
        try:
            return await endpoint.complete(dialect.body(request))
        except RefusedError as error:
            has_system = dialect.has_system and request.messages[0].role == "system"
            if not has_system or isinstance(error, TooLongError):
                raise
        dialect = replace(dialect, has_system=False)
        reply = await endpoint.complete(dialect.body(request))
        self.dialect = dialect
        return reply


async def _outcomes(
    requests: Sequence[Request], at_once: int, answer: Callable[[Request], Coroutine[Any, Any, Outcome]]
) -> AsyncIterator[tuple[Request, Outcome]]:
    """Yield each request with its outcome as it comes; closing the iterator cancels the requests in flight."""
    waiting = iter(requests)
    running: dict[asyncio.Task[Outcome], Request] = {}
    try:
        while True:
            for request in islice(waiting, at_once - len(running)):
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
