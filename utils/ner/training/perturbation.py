"""Learning from inputs that are a little harder than those given: adversarial training of the word pieces' embeddings.

Source: Miyato, Dai and Goodfellow, 2017, "Adversarial Training Methods for Semi-Supervised Text Classification".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn


@contextmanager
def observed(embeddings: nn.Module) -> Iterator[list[Tensor]]:
    """Give a list to which each call of `embeddings` adds what it returns; `.grad` is there after `backward`."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _given: Any, result: Tensor) -> None:
        result.retain_grad()
        seen.append(result)

    handle = embeddings.register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def shifted(embeddings: nn.Module, shift: Tensor) -> Iterator[None]:
    """Add `shift` to what `embeddings` returns."""
    handle = embeddings.register_forward_hook(lambda _module, _given, result: result + shift)
    try:
        yield
    finally:
        handle.remove()


def hardest_shift(embedded: Tensor, is_piece: Tensor, share: float) -> Tensor:
    """Return the shifts (sentences, pieces, hidden) that raise each sentence's loss the fastest.

    Each is `share` times as long as all embeddings of its sentence in `embedded`, which holds their gradient; those of
    padding, where `is_piece` (sentences, pieces) is 0, do not count. A sentence whose gradient is 0 is not shifted.
    """
    gradient = cast(Tensor, embedded.grad)
    norms = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
    lengths = share * torch.linalg.vector_norm(embedded.detach() * is_piece[..., None], dim=(1, 2), keepdim=True)
    return lengths * gradient / norms.clamp_min(torch.finfo(norms.dtype).tiny)
