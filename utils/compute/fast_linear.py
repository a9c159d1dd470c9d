"""Linear layers by oneDNN, on CPUs where the library that torch takes for them is the slower one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode


class FastLinear(TorchFunctionMode):
    """While this is entered, linear layers in float32 on a CPU with AVX-512 are computed by oneDNN.

    torch takes MKL, which uses half of the vector unit of AMD's: oneDNN is 2.2 times as fast there. Results differ in
    rounding alone. Whatever else there is, an autocast to bfloat16 or a GPU, is left to torch.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is linear and not kwargs and _is_served(*args):
            rows, weight, bias = (*args, None)[:3]
            return _Linear.apply(rows, weight, bias) if torch.is_grad_enabled() else _onednn(rows, weight, bias)
        return func(*args, **(kwargs or {}))


class _Linear(torch.autograd.Function):
    """The operator and its gradients, which are products of the same kind."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _onednn(rows, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        flat = gradient.contiguous().flatten(0, -2)
        for_rows, for_weight, for_bias = ctx.needs_input_grad
        return (
            _onednn(flat, weight.T).view_as(rows) if for_rows else None,
            _onednn(flat.T, rows.flatten(0, -2).T) if for_weight else None,
            flat.sum(dim=0) if for_bias else None,
        )


def _is_served(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> bool:
    return (
        rows.dtype == weight.dtype == torch.float32
        and rows.device.type == weight.device.type == "cpu"
        and rows.dim() > 1
        and rows.numel() > 0
        and rows.is_contiguous()
        and weight.is_contiguous()  # of a part of a larger one oneDNN makes slow work
        and not torch.is_autocast_enabled("cpu")
        and has_onednn()
    )


def _onednn(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")


@cache
def has_onednn() -> bool:
    """Tell whether this CPU has AVX-512 and torch the operator, which it does not document, and it computes this."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    rows, weight, bias = torch.eye(3, 32), torch.arange(32.0 * 48).view(48, 32), torch.ones(48)
    try:
        with torch.no_grad():
            return torch.equal(_onednn(rows, weight, bias), weight.T[:3] + bias)
    except (AttributeError, RuntimeError):
        return False
