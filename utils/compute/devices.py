"""The device of a model and its data type, for the LLM backends and the span model."""

from __future__ import annotations

import logging
from functools import cache

import torch

log = logging.getLogger(__name__)


@cache
def usable_gpus(requested: tuple[int, ...]) -> list[int]:
    """Return those of the requested GPUs that exist; log once if none does, and the CPU is used instead."""
    usable = [index for index in requested if index < torch.cuda.device_count()]
    if requested and not usable:
        log.info("this machine has no GPU %s: running on the CPU", ",".join(map(str, requested)))
    return usable


def choose_device(requested: tuple[int, ...]) -> torch.device:
    """Return the first of the requested GPUs that exists, or the CPU."""
    usable = usable_gpus(requested)
    return torch.device("cuda", usable[0]) if usable else torch.device("cpu")


def choose_dtype(name: str, *, on_gpu: bool) -> torch.dtype:
    """Return the data type `name`; `auto` is bfloat16 if supported, else float16 (GPU) or float32 (CPU)."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
    if on_gpu:
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported is not None and supported())
