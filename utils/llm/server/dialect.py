"""The dialect of a server: which fields its requests may have, and how its answers are guided."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from utils.llm.base import Guidance, Message, Request
from utils.llm.chat_parts import without_system

# Turn off what servers otherwise take from a checkpoint's own defaults: repetition penalties, top-k and min-p
# sampling, and thinking.
PLAIN: Mapping[str, Any] = {
    "repetition_penalty": 1.0,  # vLLM, SGLang
    "repeat_penalty": 1.0,  # llama-server
    "top_k": -1,
    "min_p": 0.0,
    "chat_template_kwargs": {"enable_thinking": False},
}
# Turn off thinking in hosted services; sent only if the model thinks in spite of PLAIN.
NO_THINKING: Mapping[str, Any] = {
    "enable_thinking": False,  # DashScope, SiliconFlow
    "thinking": {"type": "disabled"},  # DeepSeek, GLM, Kimi, Anthropic
    "reasoning_effort": "none",  # OpenAI, Gemini, Ollama
}
THOUGHT_TOKENS = 4096  # added to the limit of an answer if its thoughts cannot be turned off: they count as well
LOW_TEMPERATURE = 0.01  # for greedy answers of services that refuse 0
LimitField = Literal["max_tokens", "max_completion_tokens"]
# The position after the first character of a role token: <|im_end|>, <start_of_turn>, </s>, [INST], <<SYS>>, <｜A｜>.
ROLE_TOKEN = re.compile(
    r"(?<=<)(?=[|｜][^<>\s]{1,40}[|｜]>|/?(?:\w+_of_\w+|s|bos|eos|pad|unk|sop|eop|think)>|<SYS>>|/SYS>>)"
    r"|(?<=\[)(?=/?(?:INST|gMASK|\w+_RESULTS|\w+_CALLS|\w+_TOOLS)\])"
)
WORD_JOINER = "\u2060"  # invisible


@dataclass(frozen=True)
class Dialect:
    """The fields that a server accepts. Nothing here is part of a result's fingerprint but the guidance."""

    extras: Mapping[str, Any] = field(default_factory=dict)  # in every request, besides OpenAI's own fields
    dropped: frozenset[str] = frozenset()  # fields that the server refuses
    limit_field: LimitField = "max_tokens"
    max_tokens: int | None = None  # the largest limit of an answer that the server accepts
    min_temperature: float = 0.0
    thought_tokens: int = 0  # added to the limit of each answer
    grammar_field: tuple[str, ...] | None = None  # path to the grammar in the body; None: no grammars
    guidance: Guidance = "free"  # the strictest one that the server follows
    has_system: bool = True  # a chat may begin with a system message

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body of an HTTP request, without the model's name."""
        fields = {
            "messages": [{"role": one.role, "content": self._content(one, request)} for one in self._messages(request)],
            self.limit_field: self.limit(request),
            **self._sampling(request),
            **self.extras,
            **self._guiding_fields(request),
        }
        return {name: value for name, value in fields.items() if name not in self.dropped}

    def _messages(self, request: Request) -> Sequence[Message]:
        messages = request.messages
        return messages if self.has_system or messages[0].role != "system" else without_system(messages)

    def _content(self, message: Message, request: Request) -> str:
        """Return the text of a message; the last one, the prompt, also has the form of a JSON object."""
        content = without_role_tokens(message.text)
        if request.form is None or request.form.guidance != "json_object" or not message.text.endswith(request.prompt):
            return content
        return f"{content}\n\n{request.form.instruction()}"

    def limit(self, request: Request) -> int:
        """Return the largest number of tokens that an answer may have, thoughts included."""
        wanted = request.max_new_tokens + self.thought_tokens
        return min(wanted, self.max_tokens) if self.max_tokens else wanted

    def _sampling(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        if sampling is None:
            return {"temperature": self.min_temperature}
        temperature = max(sampling.temperature, self.min_temperature)
        return {"temperature": temperature, "top_p": sampling.top_p, "seed": sampling.seed}

    def _guiding_fields(self, request: Request) -> dict[str, Any]:
        if request.form is not None:
            return {"response_format": request.form.response_format()}
        if request.grammar is None or self.grammar_field is None:
            return {}
        return grammar_fields(self.grammar_field, request.grammar)

    def __str__(self) -> str:
        """Return what requests contain, for one line of the log."""
        without = sorted({"temperature", "top_p", "seed"} & self.dropped)
        off = [name for name in NO_THINKING if name in self.extras and name not in self.dropped]
        parts = [
            self.limit_field + (f" of at most {self.max_tokens}" if self.max_tokens else ""),
            *([f"without {', '.join(without)}"] if without else []),
            *([f"temperature {self.min_temperature:g} for 0"] if self.min_temperature else []),
            *([f"thinking turned off by {' and '.join(off)}"] if off and not self.thought_tokens else []),
            *([f"{self.thought_tokens} more tokens for thoughts"] if self.thought_tokens else []),
        ]
        return ", ".join(parts)


def grammar_fields(path: Sequence[str], grammar: str) -> dict[str, Any]:
    """Return the part of a body that has a grammar at a path.

    >>> grammar_fields(("structured_outputs", "grammar"), 'root ::= "yes"')
    {'structured_outputs': {'grammar': 'root ::= "yes"'}}
    """
    value: Any = grammar
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def without_role_tokens(text: str) -> str:
    """Return `text` with an invisible character inside everything that a server could read as a role token."""
    return ROLE_TOKEN.sub(WORD_JOINER, text)
