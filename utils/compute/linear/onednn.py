"""Linear layers computed by oneDNN, for two cases in which torch's own choice on a CPU is several times slower.

- `FastLinear`, float32 (the span model): torch calls MKL, which uses half of the vector units of AMD CPUs with AVX-512.
  oneDNN is 2.2 times as fast there. Used on every CPU with AVX-512.
- `PackedLinear`, bfloat16 (LLMs): torch reorders the weight for oneDNN in every call. Reordered once, it is several
  times as fast when few rows are computed, as in decoding. Used on every CPU on which the operators work.

Both call operators that torch uses in compiled models, but does not document:

    torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")  ->  rows @ weight.T + bias
    torch.ops.mkldnn._reorder_linear_weight(weight, None)                   ->  the weight in oneDNN's own order

    rows (…, in), weight (out, in), bias (out,) or None  ->  (…, out)

The weight may be plain or reordered. The last three arguments name an activation function ("none") and its parameters.
Since a torch release may change the operators, each is tried on a small product before its first use. Results differ
from torch's in rounding only.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from utils.compute.linear.mode import LinearMode
from utils.compute.memory import page_out

KEPT_KERNELS = 256


class FastLinear(LinearMode):
    """A context in which float32 linear layers on a CPU with AVX-512 are computed by oneDNN.

    Calls with other types, on other devices or under autocast are left to torch.
    """

    def supports(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        """Return whether oneDNN can compute this product, and is the faster one."""
        return _is_supported(rows, weight)

    def product(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return the product, with gradients if they are recorded."""
        return _Linear.apply(rows, weight, bias) if torch.is_grad_enabled() else _product(rows, weight, bias)


class PackedLinear(nn.Module):
    """A linear layer with a weight that was reordered once, when the layer was built. It has no gradients."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), None)
        self.bias = layer.bias

    def forward(self, rows: Tensor) -> Tensor:
        """Return (…, out_features) from rows (…, in_features)."""
        return _product(rows, self.packed, self.bias)


def pack_linears(model: nn.Module) -> int:
    """Replace a model's bfloat16 linear layers on the CPU by packed ones, and return their number."""
    if not has_packed_linear():
        return 0
    found = [
        (child, name, module)
        for module in model.modules()
        for name, child in module.named_children()
        if type(child) is nn.Linear and child.weight.dtype == torch.bfloat16 and child.weight.device.type == "cpu"
    ]
    found.sort(key=lambda one: -one[0].weight.nbytes)  # the copy of the largest one is made while there are no others
    for child, name, module in found:
        setattr(module, name, PackedLinear(child))
        page_out(child.weight)
    return len(found)


def limit_kept_kernels() -> None:
    """Let oneDNN keep fewer kernels; call this before the first product.

    It compiles a kernel for each shape, and a decoder has another number of rows in nearly every step. The 1024 that
    oneDNN keeps by default take 100 MB and more; one step needs less than a hundred.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KEPT_KERNELS))


@cache
def has_fast_linear() -> bool:
    """Return whether this CPU has AVX-512, and the operator computes a float32 product correctly."""
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return False
    rows, weight, bias = torch.eye(3, 32), torch.arange(32.0 * 48).view(48, 32), torch.ones(48)
    try:
        with torch.no_grad():
            return torch.equal(_product(rows, weight, bias), weight.T[:3] + bias)
    except (AttributeError, RuntimeError):
        return False


def has_packed_linear() -> bool:
    """Return whether both operators exist, and compute what a bfloat16 linear layer does."""
    layer = nn.Linear(32, 48, dtype=torch.bfloat16).requires_grad_(False)
    rows = torch.randn(3, 32).to(torch.bfloat16)
    try:
        return torch.allclose(PackedLinear(layer)(rows), layer(rows), atol=2e-2)
    except (AttributeError, RuntimeError):
        return False


class _Linear(torch.autograd.Function):
    """The product with gradients, which are products of the same kind.

    With rows (n, in), weight (out, in) and a gradient (n, out) of the result:

        gradient of rows    gradient @ weight      (n, in)
        gradient of weight  gradient.T @ rows      (out, in)
        gradient of bias    gradient.sum(0)        (out,)
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return _product(rows, weight, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        flat = gradient.contiguous().flatten(0, -2)  # (n, out)
        for_rows, for_weight, for_bias = ctx.needs_input_grad
        return (
            _product(flat, weight.T).view_as(rows) if for_rows else None,
            _product(flat.T, rows.flatten(0, -2).T) if for_weight else None,
            flat.sum(dim=0) if for_bias else None,
        )


def _product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return rows @ weight.T + bias."""
    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")


def _is_supported(rows: Tensor, weight: Tensor) -> bool:
    return (
        rows.dtype == weight.dtype == torch.float32
        and rows.device.type == weight.device.type == "cpu"
        and rows.dim() > 1
        and rows.numel() > 0
        and rows.is_contiguous()
        and weight.is_contiguous()  # oneDNN is slow with a slice of a larger weight
        and not torch.is_autocast_enabled("cpu")
        and has_fast_linear()
    )
