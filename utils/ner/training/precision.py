"""The data type of the forward pass in training. Weights and loss are always float32."""

from __future__ import annotations

import torch

from utils.ner.training.settings import Precision


def computing_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the data type of the forward pass; `auto` is bfloat16 on GPUs that support it, and float32 elsewhere."""
    on_gpu = device.type == "cuda"
    if precision == "fp16" and not on_gpu:
        raise ValueError("--precision=fp16 needs a GPU: use bf16 or fp32 on the CPU")
    if precision == "auto":
        precision = "bf16" if on_gpu and torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def autocast(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """Return a context in which a forward pass computes in `dtype`, except for operations that need float32."""
    return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)


def loss_scaler(dtype: torch.dtype, device: torch.device) -> torch.amp.GradScaler:
    """Return a scaler that keeps small float16 gradients from becoming 0; for other data types it does nothing."""
    return torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)
