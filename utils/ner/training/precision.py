"""The data type of the products in training. Weights and loss are always float32."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from utils.compute.devices import has_bfloat16
from utils.compute.linear.bf16 import BFloat16Linear, has_bf16_instructions
from utils.compute.linear.onednn import FastLinear
from utils.ner.training.settings import Precision


def computing_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the data type of products; `auto` is bfloat16 where the hardware multiplies it, and float32 elsewhere."""
    on_gpu = device.type == "cuda"
    if precision == "fp16" and not on_gpu:
        raise ValueError("--precision=fp16 needs a GPU: use bf16 or fp32 on the CPU")
    if precision == "auto":
        fast = has_bfloat16(device) if on_gpu else has_bf16_instructions()
        precision = "bf16" if fast else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Return a context for a forward pass in `dtype`: on a CPU, only linear layers compute in bfloat16."""
    if device.type == "cpu":
        return FastLinear() if dtype == torch.float32 else BFloat16Linear()
    return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)


def loss_scaler(dtype: torch.dtype, device: torch.device) -> torch.amp.GradScaler:
    """Return a scaler that keeps small float16 gradients from becoming 0; for other data types it does nothing."""
    return torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
