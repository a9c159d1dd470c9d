"""Linear layers with bfloat16 products on a CPU. Weights, results and gradients stay float32.

With AVX-512 BF16 instructions (AMD from Zen 4 on, Intel from Cooper Lake on), a product in bfloat16 takes less than
half of the time of one in float32. Products take about half of a training step of the span model. Under torch's
autocast, other operations would be bfloat16 too, which is slower on a CPU and less exact.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from utils.compute.linear.mode import LinearMode


class BFloat16Linear(LinearMode):
    """A context in which linear layers with float32 weights on a CPU multiply in bfloat16."""

    def supports(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        """Return whether the layer is a float32 one."""
        return rows.dtype == weight.dtype == torch.float32

    def product(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return the product, rounded to bfloat16 before the bias is added, as float32."""
        return _Linear.apply(rows, weight, bias)


@cache
def has_bf16_instructions() -> bool:
    """Return whether this CPU multiplies bfloat16 numbers in hardware."""
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:  # not in this torch
        return False


class _Linear(torch.autograd.Function):
    """A linear layer on the last dimension: rows (…, in), weight (out, in), bias (out,) -> (…, out), all float32.

    The rows are kept for the backward pass in bfloat16, which halves their memory.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        rows, weight = rows.to(torch.bfloat16), weight.to(torch.bfloat16)
        ctx.save_for_backward(rows, weight)
        result = linear(rows, weight).float()
        return result if bias is None else result.add_(bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)  # (n, out)
        half = flat.to(torch.bfloat16)
        for_rows, for_weight, for_bias = ctx.needs_input_grad
        return (
            (half @ weight).float().view_as(rows) if for_rows else None,
            (half.T @ rows.flatten(0, -2)).float() if for_weight else None,
            flat.sum(dim=0) if for_bias else None,
        )
