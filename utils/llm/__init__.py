"""LLMs with one interface for all backends: `load_llm(model, backend, options).generate(requests)` yields answers.

Start with base.py: requests, answers, and what a module in backends/ must have. hf/ loads checkpoints, decoding/ makes
answers with them, server/ talks to servers, and batch/ has the lines and the service of batch files.
"""

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
