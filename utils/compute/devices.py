"""Where a model runs, and in which number format; shared by the LLM backends and the span model."""

from __future__ import annotations

import logging
from functools import cache

import torch

log = logging.getLogger(__name__)


@cache
def usable_gpus(asked: tuple[int, ...]) -> list[int]:
    """Return those of the asked GPUs that are there; say so, once, where none is and the CPU takes over."""
    there = [index for index in asked if index < torch.cuda.device_count()]
    if asked and not there:
        log.info("no GPU %s here: running on the CPU", ",".join(map(str, asked)))
    return there


def choose_device(asked: tuple[int, ...]) -> torch.device:
    """Return the first of the asked GPUs that is there, or else the CPU."""
    there = usable_gpus(asked)
    return torch.device("cuda", there[0]) if there else torch.device("cpu")


def choose_dtype(name: str, *, on_gpu: bool) -> torch.dtype:
    """Return the number format that `name` means; `auto` is bfloat16 where the hardware computes in it."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
    if on_gpu:
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32


def _cpu_has_bfloat16() -> bool:
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported is not None and supported())
