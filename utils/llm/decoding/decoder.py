"""The interface of the decoders: encoded requests go in, and each answer's token ids come out as it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from utils.llm.base import Finish, Request
from utils.llm.hf.context import MAX_CONTEXT

if TYPE_CHECKING:
    from utils.llm.decoding.guide import Guide

# How far scores that should be equal may differ, relative to their spread. Another order of sums changes bfloat16
# scores by some per cent; another kind of attention changes them by far more.
FLOAT32_TOLERANCE, BFLOAT16_TOLERANCE = 1e-3, 0.1


@dataclass(frozen=True, slots=True)
class EncodedRequest:
    """A request with its prompt as token ids."""

    request: Request
    prompt: list[int]
    context: int = MAX_CONTEXT  # tokens that prompt and answer may have together

    @property
    def budget(self) -> int:
        """The number of tokens that the answer may have; 0 if the prompt fills the context."""
        return max(0, min(self.request.max_new_tokens, self.context - len(self.prompt)))

    @property
    def length(self) -> int:
        """The number of tokens of the prompt and the longest answer."""
        return len(self.prompt) + self.budget


DecodedAnswer = tuple[EncodedRequest, list[int], Finish]  # the ids are without the stop id


class Decoder(Protocol):
    """Continues prompts with a model."""

    def decode(
        self, requests: Sequence[EncodedRequest], batch_size: int, guide: Guide | None
    ) -> Iterator[DecodedAnswer]:
        """Yield the answer to each request as it ends, in any order.

        At most `batch_size` answers are decoded at once. With a guide, answers follow their requests' grammars.
        """
        ...


def are_close(scores: torch.Tensor, expected: torch.Tensor, dtype: torch.dtype) -> bool:
    """Return whether two tensors of scores differ by rounding only. `dtype` is that of the model."""
    spread = (expected - expected.mean(-1, keepdim=True)).norm()
    tolerance = FLOAT32_TOLERANCE if dtype == torch.float32 else BFLOAT16_TOLERANCE
    return bool((scores - expected).norm() <= tolerance * spread)
