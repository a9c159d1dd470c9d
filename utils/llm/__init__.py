"""LLMs with one interface for all backends: `load_llm(model, backend, options).generate(requests)` yields answers."""

from utils.llm.base import (
    GUIDANCE_NAMES,
    LLM,
    Answer,
    Backend,
    Guidance,
    LLMOptions,
    Message,
    Request,
    Sampling,
    TokenCounter,
    best_guidance,
    can_be_guided,
    can_intersect,
    load_counter,
    load_llm,
)

__all__ = [
    "GUIDANCE_NAMES",
    "LLM",
    "Answer",
    "Backend",
    "Guidance",
    "LLMOptions",
    "Message",
    "Request",
    "Sampling",
    "TokenCounter",
    "best_guidance",
    "can_be_guided",
    "can_intersect",
    "load_counter",
    "load_llm",
]
