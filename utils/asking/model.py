"""The LLM that a run uses, chosen but not yet loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from utils.asking.batch.choice import BatchChoice
from utils.compute.engine import LOCAL, Engine
from utils.files.models import model_identity
from utils.llm import (
    LLM,
    Backend,
    Guidance,
    LLMOptions,
    TokenCounter,
    best_guidance,
    can_intersect,
    load_counter,
    load_llm,
)
from utils.llm.pool import LLMPool


@dataclass(frozen=True)
class ModelChoice:
    """An LLM that has been chosen and not yet loaded."""

    path: str  # or a server's name for the model
    backend: Backend
    options: LLMOptions
    engine: Engine = LOCAL
    batch: BatchChoice | None = None  # ask in batch files; None: ask at once

    def load(self) -> LLM:
        """Return the loaded model, in this process or in the workers of a pool."""
        if self.engine.is_pool:
            return LLMPool(self.path, self.backend, self.options, self.engine)
        return load_llm(self.path, self.backend, self.options)

    def token_counter(self) -> TokenCounter:
        """Return a function that counts the tokens of a chat; it loads no weights."""
        return load_counter(self.path, self.backend, self.options)

    @property
    def is_served(self) -> bool:
        """Whether the model is on a server, which may be paid for by tokens."""
        return self.backend == "openai"

    def identity(self) -> dict[str, str]:
        """Return the hashes that identify the model; a model on a server is identified by its name alone."""
        return {"served model": self.path} if self.backend == "openai" else model_identity(self.path)

    @property
    def parameters(self) -> dict[str, str]:
        """Return the model's name and, if it is quantised, how: other weights give other answers."""
        quantisation = {"load_in": self.options.load_in} if self.options.load_in else {}
        return {"model": Path(self.path).name, **quantisation}

    def can_intersect(self) -> bool:
        """Return whether answers can be held to grammars that intersect regular expressions."""
        return can_intersect(self.path, self.backend, self.options)

    def best_guidance(self) -> Guidance:
        """Return the strictest form that answers can be held to; a server is asked."""
        return best_guidance(self.path, self.backend, self.options)


def is_backend(value: object) -> bool:
    """Return whether a value, such as one from a file, is the name of a backend."""
    return value in get_args(Backend)
