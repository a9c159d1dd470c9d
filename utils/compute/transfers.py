"""Copies between this computer's memory and a GPU, of which a thread should wait for as few as possible."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Return a CPU tensor on a device; for a GPU, this thread does not wait until it is copied.

    Only copies from pinned memory do not wait. torch frees pinned memory after the GPU has read it.
    """
    target = torch.device(device)
    if target.type != "cuda":
        return tensor.to(target)
    return tensor.pin_memory().to(target, non_blocking=True)


def indices_on(device: torch.device | str, *lists: Sequence[int]) -> list[Tensor]:
    """Return lists of indices as tensors (int64) on a device, in one copy."""
    joined = torch.tensor([number for numbers in lists for number in numbers], dtype=torch.int64)
    return list(to_device(joined, device).split([len(numbers) for numbers in lists]))
