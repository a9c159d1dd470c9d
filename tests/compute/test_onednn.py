"""oneDNN's linear layers compute what torch's do, and leave other calls to torch."""

from __future__ import annotations

import os

import pytest
import torch
from torch.nn.functional import linear
from torch.profiler import ProfilerActivity, profile

from utils.compute.linear.onednn import FastLinear, has_fast_linear, limit_kept_kernels

needs_fast_linear = pytest.mark.skipif(
    not has_fast_linear(), reason="this CPU has no AVX-512, or this torch no such operator"
)
OPERATOR = "mkldnn::_linear_pointwise"


def operators(run) -> set[str]:
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        run()
    return {event.key for event in profiled.key_averages()}


@needs_fast_linear
@pytest.mark.parametrize("shape", [(1, 7), (33, 7), (2, 5, 7), (2, 3, 4, 7)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_layer_computes_what_torch_does(shape, has_bias):
    rows, weight = torch.randn(shape), torch.randn(11, 7)
    arguments = (rows, weight, torch.randn(11)) if has_bias else (rows, weight)
    with torch.no_grad(), FastLinear():
        assert OPERATOR in operators(lambda: linear(*arguments))
        torch.testing.assert_close(linear(*arguments), linear(*(part.double() for part in arguments)).float())


@needs_fast_linear
@pytest.mark.parametrize("shape", [(1, 7), (33, 7), (2, 3, 4, 7)])
@pytest.mark.parametrize(
    "learned", [(True, True, True), (False, True, True), (True, False, False), (False, True, False)]
)
def test_gradients_equal_those_of_torch(shape, learned):
    parts = [torch.randn(shape), torch.randn(11, 7), torch.randn(11)]
    for part, is_learned in zip(parts, learned, strict=True):
        part.requires_grad_(is_learned)
    slope = torch.randn(*shape[:-1], 11)
    expected = torch.autograd.grad((linear(*parts) * slope).sum(), [part for part in parts if part.requires_grad])
    with FastLinear():
        result = linear(*parts)
    assert type(result.grad_fn).__name__ == "_LinearBackward"
    found = torch.autograd.grad((result * slope).sum(), [part for part in parts if part.requires_grad])
    torch.testing.assert_close(found, expected)


def test_a_broadcast_gradient_is_supported():
    rows, weight = torch.randn(5, 7), torch.randn(11, 7, requires_grad=True)
    with FastLinear():
        linear(rows, weight).sum().backward()
    torch.testing.assert_close(weight.grad, rows.sum(dim=0).expand(11, 7))


def in_bfloat16():
    return linear(torch.ones(3, 7, dtype=torch.bfloat16), torch.ones(11, 7, dtype=torch.bfloat16))


def under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        return linear(torch.ones(3, 7), torch.ones(11, 7))


CASES = {
    "bfloat16": (in_bfloat16, torch.bfloat16),
    "autocast": (under_autocast, torch.bfloat16),
    "one row": (lambda: linear(torch.ones(7), torch.ones(11, 7)), torch.float32),
    "no rows": (lambda: linear(torch.ones(0, 7), torch.ones(11, 7)), torch.float32),
    "a column of a larger weight": (lambda: linear(torch.ones(3, 7), torch.ones(11, 9)[:, :7]), torch.float32),
    "transposed rows": (lambda: linear(torch.ones(7, 3).T, torch.ones(11, 7)), torch.float32),
    "named arguments": (lambda: linear(torch.ones(3, 7), weight=torch.ones(11, 7)), torch.float32),
}


@pytest.mark.parametrize("name", CASES)
def test_other_calls_are_left_to_torch(name):
    run, dtype = CASES[name]
    with torch.no_grad(), FastLinear():
        assert OPERATOR not in operators(run)
        result = run()
    assert result.dtype == dtype
    assert torch.equal(result, torch.full_like(result, 7.0))


def test_the_number_of_kept_kernels_is_limited_unless_the_user_has_chosen_one(monkeypatch):
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    limit_kept_kernels()
    assert 100 <= int(os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"]) < 1024
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    limit_kept_kernels()
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"
