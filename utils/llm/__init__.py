"""LLMs with one interface for all backends: `load_llm(model, backend, options).generate(requests)` yields answers."""

from utils.llm.base import (
    LLM,
    Answer,
    Backend,
    LLMOptions,
    Message,
    Request,
    Sampling,
    TokenCounter,
    can_be_guided,
    can_intersect,
    load_counter,
    load_llm,
)

__all__ = [
    "LLM",
    "Answer",
    "Backend",
    "LLMOptions",
    "Message",
    "Request",
    "Sampling",
    "TokenCounter",
    "can_be_guided",
    "can_intersect",
    "load_counter",
    "load_llm",
]
