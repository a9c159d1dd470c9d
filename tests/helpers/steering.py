"""Models made to say what a test wants, by either decoder of the transformers backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

Plan = Callable[[int], "dict[int, int] | int"]


def steer(model: Any, monkeypatch: pytest.MonkeyPatch, plan: Plan) -> None:
    """Let a model's n-th scores lead to the token `plan(n)` in every row, or to a token for each row."""
    head = model.get_output_embeddings()  # GLM-4's own code does not tell
    part = model if head is None else head
    real, steps = part.forward, iter(range(1000))

    def forward(*inputs: Any, **named: Any) -> Any:
        output = real(*inputs, **named)
        _lead(output.logits if head is None else output, plan(next(steps)))
        return output

    monkeypatch.setattr(part, "forward", forward)


def _lead(scores: torch.Tensor, wanted: dict[int, int] | int) -> None:
    """Make each row's scores (rows, …, vocabulary) highest at its wanted token."""
    scores.fill_(-10.0)
    for row in range(len(scores)):
        scores[row, ..., wanted[row] if isinstance(wanted, dict) else wanted] = 10.0
