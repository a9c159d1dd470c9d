"""A tiny random chat checkpoint with byte-level tokens and ChatML roles, for transformers and vLLM."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.helpers.families import CHATML, FAMILIES, make_checkpoint

SPECIAL = FAMILIES["qwen2"].special
# vLLM needs a head dimension of at least 32.
SHAPE = {"hidden_size": 128, "intermediate_size": 96, "initializer_range": 0.3}
CONTEXT = 1024


def write_tiny_checkpoint(folder: Path, *, seed: int = 0, context: int = CONTEXT) -> Path:
    """Write the checkpoint, with generation settings that annotation must ignore."""
    shape = {**SHAPE, "max_position_embeddings": context}
    family = replace(FAMILIES["qwen2"], template=CHATML, configured=("<|im_end|>",), shape=shape)
    return make_checkpoint(folder, family, seed=seed)
