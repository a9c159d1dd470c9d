"""Linear layers of a bfloat16 model on a CPU with weights in oneDNN's own order, which is several times faster.

torch reaches it through operators that it does not document, so all of this is tried before it is used.
"""

from __future__ import annotations

import torch
from torch import nn


class PackedLinear(nn.Module):
    """A linear layer whose weight was reordered once, instead of in every call."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.bias = linear.bias

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(rows, self.packed, self.bias, "none", [], "")


def pack_linears(model: nn.Module) -> int:
    """Replace a model's plain bfloat16 linear layers by packed ones; return how many there were."""
    if not can_pack():
        return 0
    packed = 0
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Linear and child.weight.dtype == torch.bfloat16 and child.weight.device.type == "cpu":
                setattr(module, name, PackedLinear(child))
                packed += 1
    return packed


def can_pack() -> bool:
    """Tell whether this torch has the operators, and they compute what a linear layer does."""
    layer = nn.Linear(32, 48, dtype=torch.bfloat16).requires_grad_(False)
    rows = torch.randn(3, 32).to(torch.bfloat16)
    try:
        return torch.allclose(PackedLinear(layer)(rows), layer(rows), atol=2e-2)
    except (AttributeError, RuntimeError):
        return False
