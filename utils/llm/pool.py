"""An LLM that runs in all workers of a Ray cluster (--engine=ray)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from utils.compute.engine import Engine
from utils.compute.ray_cluster import Work
from utils.llm.base import LLM, Answer, Backend, LLMOptions, Request, load_llm


@dataclass(frozen=True)
class LLMPool:
    """An LLM with a replica of the model in each worker of an engine."""

    model: str
    backend: Backend
    options: LLMOptions
    engine: Engine

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Sorted, so that the requests of one batch take about equally long.
        ordered = sorted(requests, key=lambda request: -request.size)
        for _, answer in self.engine.run(self._load, ordered, batch_size=self.options.batch_size):
            yield answer

    def _load(self) -> Work:
        """Return the function that answers requests in a worker; a worker numbers its own GPUs from 0."""
        path = Path(self.model)
        model = str(path.absolute()) if path.exists() and self.backend != "openai" else self.model
        options = replace(self.options, gpus=self.engine.seen(self.options.gpus))
        return partial(_answers, load_llm(model, self.backend, options))


def _answers(llm: LLM, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
    """Yield (index of the request, answer) for each request."""
    indices = {request: index for index, request in enumerate(requests)}
    for answer in llm.generate(requests):
        yield indices[answer.request], answer
