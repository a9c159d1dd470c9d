"""Memory that is no longer needed is given back, and no value is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from utils.compute.memory import page_out, release_freed_memory

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MEGABYTES = 32


def resident_file_megabytes():
    """Return the size of the files' pages that are in the memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile:")) / 1024


@needs_linux
def test_a_mapped_weight_leaves_memory_and_keeps_its_values(tmp_path):
    weight = torch.arange(MEGABYTES * 2**18, dtype=torch.float32)
    save_file({"weight": weight}, tmp_path / "model.safetensors")
    mapped = load_file(tmp_path / "model.safetensors")["weight"]
    assert torch.equal(mapped, weight)
    before = resident_file_megabytes()
    page_out(mapped)
    assert resident_file_megabytes() < before - MEGABYTES / 2
    assert torch.equal(mapped, weight)


def test_weights_of_any_kind_and_size_keep_their_values():
    weights = [torch.arange(size, dtype=torch.bfloat16) for size in (0, 1, 5000, 100_000)]
    weights.append(torch.arange(90_000.0).view(300, 300).T)
    copies = [weight.clone() for weight in weights]
    for weight in weights:
        page_out(weight)
    release_freed_memory()
    for weight, copied in zip(weights, copies, strict=True):
        assert torch.equal(weight, copied)
