"""The parameters that a server accepts in addition to OpenAI's own, and how they are detected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from utils.llm.base import Message, Request
from utils.llm.chat_parts import without_system
from utils.llm.server.background import run_in_background
from utils.llm.server.endpoint import Endpoint, RefusedError
from utils.llm.server.retrying import Patience

PATIENCE_AT_START = 10.0  # seconds that a server may fail before its first answer
# Turn off what servers otherwise take from a checkpoint's own defaults: repetition penalties, top-k and min-p
# sampling, and thinking.
PLAIN = {
    "repetition_penalty": 1.0,  # vLLM, SGLang
    "repeat_penalty": 1.0,  # llama-server
    "top_k": -1,
    "min_p": 0.0,
    "chat_template_kwargs": {"enable_thinking": False},
}
# The field for a grammar in llama-server, vLLM, vLLM before 0.12, and SGLang.
GRAMMAR_FIELDS = (("grammar",), ("structured_outputs", "grammar"), ("guided_grammar",), ("ebnf",))
# The position after the first character of a role token: <|im_end|>, <start_of_turn>, </s>, [INST], <<SYS>>, <｜A｜>.
ROLE_TOKEN = re.compile(
    r"(?<=<)(?=[|｜][^<>\s]{1,40}[|｜]>|/?(?:\w+_of_\w+|s|bos|eos|pad|unk|sop|eop|think)>|<SYS>>|/SYS>>)"
    r"|(?<=\[)(?=/?(?:INST|gMASK|\w+_RESULTS|\w+_CALLS|\w+_TOOLS)\])"
)
WORD_JOINER = "\u2060"  # invisible
# A prompt, a grammar, and the grammar's only two answers. No model gives them to this prompt by itself.
PROBE = "Say hello."
PROBE_GRAMMAR = 'root ::= "735" end\nend ::= "1" | "2"'
PROBE_ANSWERS = ("7351", "7352")


@dataclass(frozen=True)
class Dialect:
    """The parameters that a server accepts besides OpenAI's own."""

    extras: Mapping[str, Any] = field(default_factory=dict)
    grammar_field: tuple[str, ...] | None = None  # path to the grammar in the body; None: cannot be guided
    has_system: bool = True  # a chat may begin with a system message

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body of an HTTP request, without the model's name."""
        sampling = request.sampling
        parameters: dict[str, Any] = {"temperature": 0.0}
        if sampling is not None:
            parameters = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed}
        return {
            "messages": [
                {"role": one.role, "content": without_role_tokens(one.text)} for one in self._messages(request)
            ],
            "max_tokens": request.max_new_tokens,
            **parameters,
            "extra_body": {**self.extras, **self._grammar(request.grammar)},
        }

    def _messages(self, request: Request) -> Sequence[Message]:
        messages = request.messages
        return messages if self.has_system or messages[0].role != "system" else without_system(messages)

    def _grammar(self, grammar: str | None) -> dict[str, Any]:
        if grammar is None or self.grammar_field is None:
            return {}
        value: Any = grammar
        for name in reversed(self.grammar_field):
            value = {name: value}
        return dict(value)


def without_role_tokens(text: str) -> str:
    """Return `text` with an invisible character inside everything that a server could read as a role token."""
    return ROLE_TOKEN.sub(WORD_JOINER, text)


@cache
def find_dialect(model: str, api_base: str, patience: float) -> Dialect:
    """Return the dialect of a server, found by a few short requests; each is answered within `patience` seconds.

    Raises ConnectionError, PermissionError, RefusedError, or ValueError with the names of the server's models.
    """
    return run_in_background(_explore(model, api_base, patience))


async def _explore(model: str, api_base: str, seconds: float) -> Dialect:
    patience = Patience(api_base, seconds, failing_seconds=PATIENCE_AT_START)
    async with Endpoint(api_base, model, patience) as endpoint:
        served = await endpoint.models()
        if served and model not in served:
            raise ValueError(f"--model_from_pretrained: {api_base} has no model {model!r}; it has {', '.join(served)}")
        dialect = Dialect(PLAIN)
        if not await _accepts(endpoint, dialect):
            dialect = Dialect()
            await endpoint.complete(dialect.body(_probe(None)))  # raises if this is refused, too
        for path in GRAMMAR_FIELDS:
            guided = replace(dialect, grammar_field=path)
            if await _accepts(endpoint, guided, grammar=PROBE_GRAMMAR):
                return guided
        return dialect


async def _accepts(endpoint: Endpoint, dialect: Dialect, *, grammar: str | None = None) -> bool:
    """Return whether a server accepts a dialect and, if there is a grammar, follows it."""
    try:
        reply = await endpoint.complete(dialect.body(_probe(grammar)))
    except RefusedError:
        return False
    return grammar is None or reply.text in PROBE_ANSWERS


def _probe(grammar: str | None) -> Request:
    return Request("probe", "entity", PROBE, max_new_tokens=16 if grammar else 1, grammar=grammar)
