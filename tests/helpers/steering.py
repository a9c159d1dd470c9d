"""Change a model's scores so that it answers with the tokens that a test wants, with either decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

Plan = Callable[[int], "dict[int, int] | int"]  # number of the step -> the wanted token, or one for each row
OTHER_TOKEN = 35


def model_of(llm: Any) -> Any:
    """Return the model of an LLM that the transformers backend has loaded."""
    return llm.decoder.model


def always(token: int) -> Plan:
    """Return a plan whose answers are one token, repeated."""
    return lambda step: token


def ends_at(last: int, stop: int) -> Plan:
    """Return a plan whose answers end with `stop` at a step."""
    return lambda step: stop if step == last else OTHER_TOKEN


def steer(model: Any, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Make `plan(n)` the most likely token at step n, in every row or in each row by its number."""
    head = model.get_output_embeddings()  # None with GLM-4's own code
    part = model if head is None else head
    real, steps = part.forward, iter(range(1000))

    def forward(*inputs: Any, **named: Any) -> Any:
        output = real(*inputs, **named)
        _prefer(output.logits if head is None else output, plan(next(steps)))
        return output

    monkeypatch.setattr(part, "forward", forward)


def _prefer(scores: torch.Tensor, wanted: dict[int, int] | int) -> None:
    """Make the scores highest at each row's wanted token: (rows, …, vocabulary), or (1, rows, vocabulary)."""
    scores.fill_(-10.0)
    if isinstance(wanted, dict) and len(scores) == 1:  # without padding, all rows are one
        scores = scores[0]
    for row in range(len(scores)):
        scores[row, ..., wanted[row] if isinstance(wanted, dict) else wanted] = 10.0
