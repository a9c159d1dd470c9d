"""A tiny random chat checkpoint with byte-level tokens and ChatML roles, which transformers and vLLM load alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from families import CHATML, FAMILIES, make_checkpoint

SPECIAL = FAMILIES["qwen2"].special
# vLLM knows no heads below 32.
SHAPE = {"hidden_size": 128, "intermediate_size": 96, "max_position_embeddings": 1024, "initializer_range": 0.3}


def write_tiny_checkpoint(folder: Path, *, seed: int = 0) -> Path:
    """Write the checkpoint; its own generation settings are those that annotation must not take over."""
    family = replace(FAMILIES["qwen2"], template=CHATML, configured=("<|im_end|>",), shape=SHAPE)
    return make_checkpoint(folder, family, seed=seed)
