"""Measure the attention of one decoding step on the CPU, with `sdpa` and with `eager` of transformers.

python benchmarks/attention.py
"""

import os
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # the scripts' value; torch reads it when it is imported

import torch
from torch.nn.functional import scaled_dot_product_attention as fused_attention

ROWS, HEADS, KEYS, SIZE = 20, 14, 500, 64  # a batch of 20 with Qwen2.5-0.5B, after 500 tokens
REPEATS = 10


def milliseconds(step: Callable[[], torch.Tensor]) -> float:
    """Return the mean time of a step in milliseconds, after one step to warm up."""
    step()
    begin = time.perf_counter()
    for _ in range(REPEATS):
        step()
    return 1000 * (time.perf_counter() - begin) / REPEATS


def eager(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return attention computed by matrix products, with the softmax in float32."""
    weights = query @ key.transpose(2, 3) / SIZE**0.5 + mask
    return weights.float().softmax(-1).to(query.dtype) @ value


def main() -> None:
    """Print one line for each number format."""
    for dtype in (torch.bfloat16, torch.float32):
        query = torch.randn(ROWS, HEADS, 1, SIZE, dtype=dtype)
        key, value = torch.randn(2, ROWS, HEADS, KEYS, SIZE, dtype=dtype)
        mask = torch.zeros(ROWS, 1, 1, KEYS, dtype=dtype)
        fused = milliseconds(partial(fused_attention, query, key, value, attn_mask=mask))
        plain = milliseconds(partial(eager, query, key, value, mask))
        print(f"{dtype!s:<16} sdpa {fused:6.1f} ms   eager {plain:6.1f} ms   ratio {fused / plain:4.1f}")


if __name__ == "__main__":
    main()
