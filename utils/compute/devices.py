"""The device of a model and its data type, for the LLM backends and the span model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import torch

from utils.compute.gpus import existing_gpus
from utils.compute.linear.bf16 import has_bf16_instructions

log = logging.getLogger(__name__)


@cache
def usable_gpus(requested: tuple[int, ...]) -> list[int]:
    """Return the requested GPUs, or none, with a line that is logged once, if the default is missing.

    Raises ValueError if another one is missing.
    """
    usable = existing_gpus(requested, torch.cuda.device_count())
    if requested and not usable:
        log.info("this machine has no GPU %s: running on the CPU", ",".join(map(str, requested)))
    return usable


def choose_device(requested: tuple[int, ...]) -> torch.device:
    """Return the requested GPU, or the CPU. Of several GPUs only the first is used, and a line says so."""
    usable = usable_gpus(requested)
    if len(usable) > 1:
        log.info("a span model runs on one GPU: only GPU %d is used", usable[0])
    return torch.device("cuda", usable[0]) if usable else torch.device("cpu")


def choose_dtype(name: str, gpus: Sequence[int]) -> torch.dtype:
    """Return the data type `name`; `auto` is bfloat16 if supported, else float16 (GPUs) or float32 (CPU)."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]
    if gpus:
        return torch.bfloat16 if all(has_bfloat16(torch.device("cuda", gpu)) for gpu in gpus) else torch.float16
    return torch.bfloat16 if has_bf16_instructions() else torch.float32


def has_bfloat16(gpu: torch.device) -> bool:
    """Return whether a GPU multiplies bfloat16 numbers in hardware: NVIDIA's from Ampere on, and AMD's.

    torch also supports them on older ones, such as V100 and T4, where they are several times slower than float16.
    """
    return torch.version.hip is not None or torch.cuda.get_device_capability(gpu) >= (8, 0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread while the block runs: results then do not depend on the number of cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
