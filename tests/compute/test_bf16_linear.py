"""Linear layers with bfloat16 products: float32 results and gradients, close to those of float32."""

from __future__ import annotations

import torch
from torch import nn

from utils.compute.linear.bf16 import BFloat16Linear


def gradients(layer, rows, context):
    rows = rows.clone().requires_grad_()
    with context:
        result = layer(rows)
    result.square().sum().backward()
    found = [result.detach(), rows.grad, layer.weight.grad, *([layer.bias.grad] if layer.bias is not None else [])]
    layer.zero_grad()
    return found


def check(layer, rows):
    exact = gradients(layer, rows, torch.enable_grad())
    rounded = gradients(layer, rows, BFloat16Linear())
    for one, other in zip(exact, rounded, strict=True):
        assert other.dtype == torch.float32
        assert not torch.equal(one, other)
        assert torch.linalg.vector_norm(one - other) < 0.02 * torch.linalg.vector_norm(one)


def test_results_and_gradients_are_close():
    torch.manual_seed(0)
    check(nn.Linear(48, 32), torch.randn(2, 5, 7, 48))
    check(nn.Linear(48, 32, bias=False), torch.randn(9, 48))


def test_other_types_are_left_alone():
    layer, rows = nn.Linear(8, 4, dtype=torch.float64), torch.randn(3, 8, dtype=torch.float64)
    with BFloat16Linear():
        assert torch.equal(layer(rows), nn.functional.linear(rows, layer.weight, layer.bias))
