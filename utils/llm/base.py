"""The protocol that every LLM backend follows, its requests and answers, and the backends by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, cast

from utils.dataset.modes import Role, Task
from utils.llm.item_form import ItemForm
from utils.llm.prices import Prices

Guidance = Literal["grammar", "json_schema", "json_object", "free"]  # what holds answers to a form, the strictest first
GUIDANCE_NAMES: Mapping[Guidance, str] = {  # "answers are …"
    "grammar": "held to a grammar",
    "json_schema": "held to a JSON schema",
    "json_object": "held to JSON, without a schema",
    "free": "not constrained",
}
Finish = Literal["stop", "length"]  # the model ended its answer, or the answer reached its largest number of tokens
Backend = Literal["transformers", "llamacpp", "vllm", "openai", "scripted"]
LoadIn = Literal["8bit", "4bit"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the tokens of an answer are drawn; a request without it is answered greedily."""

    temperature: float
    top_p: float
    seed: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, without a chat template."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A chat that ends with a user's message, and the form and length that the answer may have."""

    id: str  # of the sentence
    task: Task
    prompt: str  # the last message, which the user writes
    max_new_tokens: int
    sampling: Sampling | None = None
    grammar: str | None = None  # GBNF, or Lark (grammar_dialects.py); None for backends that cannot be guided
    sample: int = 0  # number of this answer, if the same question is asked several times
    earlier: tuple[Message, ...] = ()  # messages before the prompt: a system message, and examples with their answers
    form: ItemForm | None = None  # of servers that hold answers to JSON, but not to a grammar

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages of the chat."""
        return (*self.earlier, Message("user", self.prompt))

    @property
    def size(self) -> int:
        """The characters of all messages and the tokens of the longest answer: how long the request takes, roughly."""
        return sum(len(message.text) for message in self.messages) + self.max_new_tokens


@dataclass(frozen=True, slots=True)
class Answer:
    """The text that the LLM wrote for one request.

    Thoughts in the text are between their marks (utils/parsing/thinking.py); `utils/asking` removes them.
    """

    request: Request
    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int  # those of thoughts included
    retries: int = 0  # failed attempts before a server answered
    cached_tokens: int = 0  # of the prompt's tokens, those that a server had in its cache
    thought_tokens: int = 0  # of the answer's tokens, those of thoughts, as far as the backend counts them


class LLM(Protocol):
    """A loaded chat model."""

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Yield one answer for each request as soon as it is complete, in any order."""
        ...


@dataclass(frozen=True)
class LLMOptions:
    """Where and how a model runs. Only `load_in`, which changes the weights, is part of a result's fingerprint."""

    gpus: tuple[int, ...] = ()  # empty: run on the CPU
    batch_size: int = 20
    fills_gpu: bool = False  # on a GPU, the batch size is chosen from its free memory (transformers, vllm)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    trust_remote_code: bool = False
    api_base: str | None = None  # address of a server
    patience: float = 300.0  # seconds that a server may fail before the run stops
    requests_per_minute: int | None = None  # to a server
    tokens_per_minute: int | None = None  # of a server's prompts and answers
    prices: Prices | None = None
    max_cost: float | None = None  # of one run's answers
    load_in: LoadIn | None = None


class TokenCounter(Protocol):
    """Counts the tokens of a user's message and of the messages before it."""

    def __call__(self, prompt: str, earlier: Sequence[Message] = ()) -> int: ...


class BackendModule(Protocol):
    """The functions of every module in `utils/llm/backends/`. The module loads its engine only inside them."""

    def check(self, model: str, options: LLMOptions) -> None:
        """Raise FileNotFoundError or ValueError if the model's path, or the server's address, cannot be right."""
        ...

    def can_be_guided(self, model: str, options: LLMOptions) -> bool:
        """Return whether the answers of a model can be held to a grammar."""
        ...

    def load_counter(self, model: str, options: LLMOptions) -> TokenCounter:
        """Return a function that counts the tokens of a chat, chat template included."""
        ...

    def load(self, model: str, options: LLMOptions) -> LLM:
        """Load a model."""
        ...


def load_llm(model: str, backend: Backend, options: LLMOptions) -> LLM:
    """Return a model, loaded by a backend."""
    return _backend_module(backend).load(model, options)


def load_counter(model: str, backend: Backend, options: LLMOptions) -> TokenCounter:
    """Return a function that counts the tokens of a chat; the model's weights are not loaded."""
    return _backend_module(backend).load_counter(model, options)


def can_be_guided(model: str, backend: Backend, options: LLMOptions) -> bool:
    """Return whether a backend can hold the model's answers to a grammar; a server is asked."""
    return _backend_module(backend).can_be_guided(model, options)


def best_guidance(model: str, backend: Backend, options: LLMOptions) -> Guidance:
    """Return the strictest form that answers can be held to; only servers know more than grammars."""
    if backend == "openai":
        return importlib.import_module("utils.llm.backends.openai").guidance(model, options)
    return "grammar" if can_be_guided(model, backend, options) else "free"


def can_intersect(model: str, backend: Backend, options: LLMOptions) -> bool:
    """Return whether a backend can hold the model's answers to grammars that intersect regular expressions."""
    return backend == "transformers" and can_be_guided(model, backend, options)


def choose_backend(model: str, asked: Backend | Literal["auto"], api_base: str | None = None) -> Backend:
    """Return the backend for a model's path or name, after a check that needs no engine and loads nothing.

    Raises FileNotFoundError or ValueError if the path or the address cannot be right.
    """
    backend = _default_backend(model, api_base) if asked == "auto" else asked
    if (backend == "openai") != bool(api_base):
        raise ValueError(
            f"--backend=openai and --api_base=http://…/v1 must be used together; found {backend} and {api_base}"
        )
    _backend_module(backend).check(model, LLMOptions(api_base=api_base))
    return backend


def _default_backend(model: str, api_base: str | None) -> Backend:
    if api_base:
        return "openai"
    return "llamacpp" if Path(model).suffix == ".gguf" else "transformers"


def _backend_module(backend: Backend) -> BackendModule:
    return cast(BackendModule, importlib.import_module(f"utils.llm.backends.{backend}"))
