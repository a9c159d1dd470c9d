"""Backend `openai`: a model behind any server that speaks OpenAI's HTTP API (vLLM, SGLang, llama-server, Ollama)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any

from utils.llm.base import Answer, LLMOptions, Request
from utils.llm.server.background import iterate_in_background, run_in_background
from utils.llm.server.endpoint import Endpoint, RefusedError, TooLongError
from utils.llm.server.retrying import Patience, UnansweredError

log = logging.getLogger(__name__)

Outcome = Answer | TooLongError | UnansweredError
Answerer = Callable[[Request], Coroutine[Any, Any, Outcome]]

PATIENCE_AT_START = 10.0  # seconds
# What servers do unasked, from a checkpoint's own defaults: penalise repetition, cut the distribution, think first.
PLAIN = {
    "repetition_penalty": 1.0,  # vLLM, SGLang
    "repeat_penalty": 1.0,  # llama-server
    "top_k": -1,
    "min_p": 0.0,
    "chat_template_kwargs": {"enable_thinking": False},
}
# Where servers look for a grammar: llama-server, vLLM, vLLM before 0.12, SGLang.
GRAMMAR_FIELDS = (("grammar",), ("structured_outputs", "grammar"), ("guided_grammar",), ("ebnf",))
# The place in what families write their turns with: <|im_end|>, <start_of_turn>, </s>, [INST], <<SYS>>, <｜User｜>.
ROLE_TOKEN = re.compile(
    r"(?<=<)(?=[|｜][^<>\s]{1,40}[|｜]>|/?(?:\w+_of_\w+|s|bos|eos|pad|unk|sop|eop|think)>|<SYS>>|/SYS>>)"
    r"|(?<=\[)(?=/?(?:INST|gMASK|\w+_RESULTS|\w+_CALLS|\w+_TOOLS)\])"
)
PROBE, PROBED = "Say hello.", ("7351", "7352")  # what no model says to that, unless it is held to a grammar
PROBE_GRAMMAR = 'root ::= "735" end\nend ::= "1" | "2"'


@dataclass(frozen=True)
class Dialect:
    """What a server takes besides OpenAI's own parameters."""

    extras: Mapping[str, Any] = field(default_factory=dict)
    grammar_field: tuple[str, ...] | None = None  # None: it does not hold answers to a grammar

    def body(self, request: Request) -> dict[str, Any]:
        """Return a request as the server takes it, but for the model's name."""
        drawn = request.sampling
        how = {"temperature": 0.0} if drawn is None else {"temperature": drawn.temperature, "top_p": drawn.top_p}
        return {
            "messages": [{"role": "user", "content": without_role_tokens(request.prompt)}],
            "max_tokens": request.max_new_tokens,
            **how,
            **({} if drawn is None else {"seed": drawn.seed}),
            "extra_body": {**self.extras, **self._grammar(request.grammar)},
        }

    def _grammar(self, grammar: str | None) -> dict[str, Any]:
        if grammar is None or self.grammar_field is None:
            return {}
        value: Any = grammar
        for name in reversed(self.grammar_field):
            value = {name: value}
        return dict(value)


class OpenAILLM:
    """A model of a server, asked `batch_size` things at once."""

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
            async for request, answer in _as_they_come(requests, self.options.batch_size, self._answerer(endpoint)):
                if isinstance(answer, Answer):
                    yield answer
                elif isinstance(answer, TooLongError):
                    too_long += 1
                    yield Answer(request, "", "length", 0, 0)
                else:
                    unanswered.append(f"sentence {request.id} ({answer})")
        if too_long:
            log.warning("%d prompts do not fit into the context of %s: their answers are empty", too_long, self.model)
        if unanswered:
            raise RuntimeError(
                f"{self.api_base} left {len(unanswered)} of {len(requests)} requests unanswered, first "
                f"{unanswered[0]}; the other answers are kept: the same command asks for these again"
            )

    def _answerer(self, endpoint: Endpoint) -> Answerer:
        async def answer(request: Request) -> Outcome:
            try:
                reply = await endpoint.complete(self.dialect.body(request))
            except (TooLongError, UnansweredError) as error:  # of this request alone: the others go on
                return error
            return Answer(request, reply.text, reply.finish, reply.prompt_tokens, reply.answer_tokens, reply.retries)

        return answer


async def _as_they_come(
    requests: Sequence[Request], width: int, answer: Answerer
) -> AsyncIterator[tuple[Request, Outcome]]:
    """Yield each request with its answer, `width` of them under way at once; closing this cancels those."""
    waiting = iter(requests)
    running: dict[asyncio.Task[Outcome], Request] = {}
    try:
        while True:
            for request in islice(waiting, width - len(running)):
                running[asyncio.create_task(answer(request))] = request
            if not running:
                return
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            # What has failed comes last: it ends the run, and the others are worth keeping.
            for task in sorted(done, key=lambda task: task.exception() is not None):
                yield running.pop(task), task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def without_role_tokens(text: str) -> str:
    """Return `text` with an invisible character inside whatever a server could read as a role token."""
    return ROLE_TOKEN.sub("\u2060", text)


def load(model: str, options: LLMOptions) -> OpenAILLM:
    """Return a server's model after a look at whether the server is there, has it, and lets us use it.

    Raises ConnectionError, PermissionError, or ValueError with the names of the models that are there.
    """
    return OpenAILLM(model, options, dialect_of(model, str(options.api_base)))


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Tell whether a server holds answers to a grammar: it is tried."""
    return dialect_of(model, str(options.api_base)).grammar_field is not None


@cache
def dialect_of(model: str, api_base: str) -> Dialect:
    """Return what a server takes, which a few short requests show; raises what `load` does."""
    return run_in_background(_explore(model, api_base))


async def _explore(model: str, api_base: str) -> Dialect:
    async with Endpoint(api_base, model, Patience(api_base, PATIENCE_AT_START)) as endpoint:
        served = await endpoint.models()
        if served and model not in served:
            raise ValueError(f"--model_from_pretrained: {api_base} has no model {model!r}; it has {', '.join(served)}")
        dialect = Dialect(PLAIN)
        if not await _accepts(endpoint, dialect):
            dialect = Dialect()
            await endpoint.complete(dialect.body(_probe(None)))  # raises where it is refused, too
        for place in GRAMMAR_FIELDS:
            guided = replace(dialect, grammar_field=place)
            if await _accepts(endpoint, guided, grammar=PROBE_GRAMMAR):
                return guided
        return dialect


async def _accepts(endpoint: Endpoint, dialect: Dialect, *, grammar: str | None = None) -> bool:
    """Tell whether a server takes a dialect and, with a grammar, obeys it."""
    try:
        reply = await endpoint.complete(dialect.body(_probe(grammar)))
    except RefusedError:
        return False
    return grammar is None or reply.text in PROBED


def _probe(grammar: str | None) -> Request:
    return Request("probe", "entity", PROBE, max_new_tokens=16 if grammar else 1, grammar=grammar)
