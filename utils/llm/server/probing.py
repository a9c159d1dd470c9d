"""The dialect of a server, found by a few short requests and by the reasons of its refusals, and kept for the run."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

from utils.llm.base import LLMOptions, Request
from utils.llm.item_form import ItemForm, JsonGuidance
from utils.llm.server.background import run_in_background
from utils.llm.server.dialect import NO_THINKING, PLAIN, THOUGHT_TOKENS, Dialect, grammar_fields
from utils.llm.server.endpoint import Endpoint, RefusedError, TooLongError
from utils.llm.server.limits.budget import Budget
from utils.llm.server.limits.pacing import pace_of
from utils.llm.server.refusals import learn, less_thought, refuses_form
from utils.llm.server.replies import Reply
from utils.llm.server.retrying import Patience

log = logging.getLogger(__name__)

PATIENCE_AT_START = 10.0  # seconds that a server may fail before its first answer
MAX_LESSONS = 12  # refusals that are understood in one run, so that no two dialects alternate for ever
# The field for a grammar in llama-server, vLLM, vLLM before 0.12, and SGLang.
GRAMMAR_FIELDS = (("grammar",), ("structured_outputs", "grammar"), ("guided_grammar",), ("ebnf",))
# A prompt, a grammar, and the grammar's only two answers. No model gives them to this prompt by itself.
PROBE = "Say hello."
PROBE_GRAMMAR = 'root ::= "735" end\nend ::= "1" | "2"'
PROBE_ANSWERS = ("7351", "7352")
JSON_PROBE = "Say hello. There is no need for JSON."  # services require the word in the prompt
PROBE_WORD, PROBE_LABELS = "7351", ("7352", "7353")
PROBE_TOKENS, JSON_PROBE_TOKENS = 16, 64
REHEARSED_TOKENS = 2048  # greedy answers of this limit need no rehearsal: no service has a lower one


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


def find_server_dialect(model: str, options: LLMOptions) -> ServerDialect:
    """Return the dialect of a server; see `find_dialect`."""
    limits = options.requests_per_minute, options.tokens_per_minute
    return find_dialect(model, str(options.api_base), options.patience, *limits)


def rehearsed_dialect(model: str, options: LLMOptions, requests: Sequence[Request]) -> Dialect:
    """Return the dialect for requests that are sent together, where nothing can be learnt from a refusal."""
    server = find_server_dialect(model, options)

    async def rehearse() -> None:
        async with Endpoint(str(options.api_base), model, Patience(str(options.api_base), options.patience)) as one:
            await server.rehearse(one, requests)

    run_in_background(rehearse())
    return server.current


@cache
def find_dialect(
    model: str,
    api_base: str,
    patience: float,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
) -> ServerDialect:
    """Return the dialect of a server, found by a few short requests; each is answered within `patience` seconds.

    Raises ConnectionError, PermissionError, RefusedError, or ValueError with the names of the server's models.
    """
    waiting = Patience(api_base, patience, failing_seconds=PATIENCE_AT_START)
    pace = pace_of(api_base, requests_per_minute, tokens_per_minute)
    pace.allow(1)
    return run_in_background(_explore(Endpoint(api_base, model, waiting, pace)))


async def _explore(endpoint: Endpoint) -> ServerDialect:
    async with endpoint:
        served = await _served_models(endpoint)
        if served and endpoint.model not in served:
            raise ValueError(
                f"--model_from_pretrained: {endpoint.api_base} has no model {endpoint.model!r}; it has "
                f"{', '.join(served)}"
            )
        server = ServerDialect(endpoint.api_base, Dialect(PLAIN), endpoint.budget)
        if (await _first_reply(server, endpoint)).thinks:
            await _turn_thinking_off(server, endpoint)
        await _find_guidance(server, endpoint)
        log.info("%s: requests with %s", server.api_base, server.current)
        return server


async def _served_models(endpoint: Endpoint) -> list[str]:
    """Return the names of the server's models as requests use them; [] if it does not list them.

    Gemini lists `models/NAME`. Anthropic refuses the list to keys that it accepts for answers.
    """
    try:
        listed = await endpoint.models()
    except (RefusedError, PermissionError):
        return []
    return [*listed, *(name.removeprefix("models/") for name in listed if name.startswith("models/"))]


async def _first_reply(server: ServerDialect, endpoint: Endpoint) -> Reply:
    """Return a reply; if a server refuses the request in words that are not understood, OpenAI's fields are enough."""
    try:
        return await server.complete(endpoint, _probe())
    except TooLongError:
        raise
    except RefusedError:
        server.current = replace(server.current, extras={})
        return await server.complete(endpoint, _probe())


async def _turn_thinking_off(server: ServerDialect, endpoint: Endpoint) -> None:
    """Send the fields against thinking if they help, and leave room for thoughts if they do not."""
    thinking = server.current
    server.current = replace(thinking, extras={**thinking.extras, **NO_THINKING})
    try:
        reply = await server.complete(endpoint, _probe())
    except RefusedError:
        server.current = thinking
    else:
        if not reply.thinks:
            return
    server.current = replace(server.current, thought_tokens=THOUGHT_TOKENS)


async def _find_guidance(server: ServerDialect, endpoint: Endpoint) -> None:
    """Set the strictest guidance that the server follows."""
    found = await _find_grammar_field(server, endpoint)
    if found is not None:
        server.current = found
        return
    for guidance in ("json_schema", "json_object"):
        if await _follows_form(server, endpoint, guidance):
            server.current = replace(server.current, guidance=guidance)
            return


async def _find_grammar_field(server: ServerDialect, endpoint: Endpoint) -> Dialect | None:
    """Return the dialect with the field in which the server reads grammars, or None.

    All fields are sent together first: most services read none of them. With a parser for thoughts, vLLM loses the
    grammar if the template turns thinking off, so it is tried without that field, too.
    """
    plain = server.current
    if not set(plain.extras) - plain.dropped - {"reasoning_effort"} and plain.dropped:
        return None  # the server takes OpenAI's fields only
    if await _follows_grammar(endpoint, plain, *GRAMMAR_FIELDS) is not False:
        for path in GRAMMAR_FIELDS:
            if await _follows_grammar(endpoint, plain, path):
                return replace(plain, grammar_field=path, guidance="grammar")
    if "chat_template_kwargs" not in set(plain.extras) - plain.dropped:
        return None
    extras = {name: value for name, value in plain.extras.items() if name != "chat_template_kwargs"}
    thinking = replace(plain, extras=extras, thought_tokens=THOUGHT_TOKENS)
    if await _follows_grammar(endpoint, thinking, *GRAMMAR_FIELDS):
        for path in GRAMMAR_FIELDS:
            if await _follows_grammar(endpoint, thinking, path):
                return replace(thinking, grammar_field=path, guidance="grammar")
    return None


async def _follows_grammar(endpoint: Endpoint, dialect: Dialect, *paths: tuple[str, ...]) -> bool | None:
    """Return whether a server follows a grammar in one of these fields; None if it refuses the request."""
    body = dialect.body(_probe())
    for path in paths:
        body |= grammar_fields(path, PROBE_GRAMMAR)
    try:
        reply = await endpoint.complete(body)
    except RefusedError:
        return None
    return reply.text in PROBE_ANSWERS


async def _follows_form(server: ServerDialect, endpoint: Endpoint, guidance: JsonGuidance) -> bool:
    """Return whether a server holds an answer to JSON that the prompt does not ask for."""
    form = ItemForm(guidance, ("word", "pos"), PROBE_LABELS, (PROBE_WORD,))
    request = Request("probe", "pos", JSON_PROBE, JSON_PROBE_TOKENS, form=form)
    used = server.current
    try:
        reply = await endpoint.complete(used.body(request))
    except RefusedError as error:
        learnt = learn(used, error.refusal, used.body(request))
        if learnt == used:
            return False
        server.current = learnt
        return await _follows_form(server, endpoint, guidance)
    return _has_form(reply.text, form)


def _has_form(text: str, form: ItemForm) -> bool:
    """Return whether an answer to JSON_PROBE is an object and, with a schema, has its only word."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if form.guidance == "json_object" or not isinstance(value, dict):
        return isinstance(value, dict)
    word = value.get("w1")
    return isinstance(word, dict) and word.get("word") == PROBE_WORD and word.get("pos") in PROBE_LABELS


def _probe() -> Request:
    return Request("probe", "entity", PROBE, PROBE_TOKENS)
