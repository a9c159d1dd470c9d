"""The dialect of a server, found by a few short requests and by the reasons of its refusals, and kept for the run."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from utils.llm.base import LLMOptions, Request
from utils.llm.item_form import ItemForm, JsonGuidance
from utils.llm.server.background import run_in_background
from utils.llm.server.dialect import NO_THINKING, PLAIN, THOUGHT_TOKENS, Dialect, grammar_fields
from utils.llm.server.endpoint import Endpoint, RefusedError, TooLongError
from utils.llm.server.limits.pacing import pace_of
from utils.llm.server.refusals import learn
from utils.llm.server.replies import Reply
from utils.llm.server.retrying import Patience, UnansweredError
from utils.llm.server.shared_dialect import PROBE, ServerDialect

log = logging.getLogger(__name__)

PATIENCE_AT_START = 10.0  # seconds that a server may fail before its first answer
# The field for a grammar in llama-server, vLLM, vLLM before 0.12, and SGLang.
GRAMMAR_FIELDS = (("grammar",), ("structured_outputs", "grammar"), ("guided_grammar",), ("ebnf",))
# A grammar, and its only two answers. No model gives them to the probe by itself.
PROBE_GRAMMAR = 'root ::= "735" end\nend ::= "1" | "2"'
PROBE_ANSWERS = ("7351", "7352")
JSON_PROBE = "Say hello. There is no need for JSON."  # services require the word in the prompt
PROBE_WORD, PROBE_LABELS = "7351", ("7352", "7353")
FAILED = (ConnectionError, UnansweredError)  # some servers answer odd fields with HTTP 500
PROBE_TOKENS, JSON_PROBE_TOKENS = 16, 64
MAX_NAMED = 50  # models of a server in a message


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
                f"{', '.join(served[:MAX_NAMED])}{', …' if len(served) > MAX_NAMED else ''}"
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
    except (RefusedError, *FAILED):
        return None
    return reply.text in PROBE_ANSWERS


async def _follows_form(server: ServerDialect, endpoint: Endpoint, guidance: JsonGuidance) -> bool:
    """Return whether a server holds an answer to JSON that the prompt does not ask for."""
    form = ItemForm(guidance, ("word", "pos"), PROBE_LABELS, (PROBE_WORD,))
    request = Request("probe", "pos", JSON_PROBE, JSON_PROBE_TOKENS, form=form)
    used = server.current
    try:
        reply = await endpoint.complete(used.body(request))
    except FAILED:
        return False
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
