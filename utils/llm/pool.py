"""A chat model in every worker of a Ray cluster, which together are one LLM (--engine=ray)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from utils.compute.engine import Engine, Work
from utils.llm.base import LLM, Answer, Backend, LLMOptions, Request, load_llm


@dataclass(frozen=True)
class LLMPool:
    """An LLM whose requests are answered by an engine's workers, each with a copy of the model."""

    model: str
    backend: Backend
    options: LLMOptions
    engine: Engine

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # A worker is given requests that take about equally long.
        ordered = sorted(requests, key=lambda request: -len(request.prompt) - request.max_new_tokens)
        for _, answer in self.engine.run(self._load, ordered, batch_size=self.options.batch_size):
            yield answer

    def _load(self) -> Work:
        """Return what answers requests in a worker, which numbers its own GPUs from 0."""
        path = Path(self.model)
        model = str(path.absolute()) if path.exists() and self.backend != "openai" else self.model
        options = replace(self.options, gpus=self.engine.seen(self.options.gpus))
        return partial(_answers, load_llm(model, self.backend, options))


def _answers(llm: LLM, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
    """Yield (place of the request, answer) for each request."""
    places = {request: place for place, request in enumerate(requests)}
    for answer in llm.generate(requests):
        yield places[answer.request], answer
