"""How many answers fit into a GPU's memory at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from utils.llm.hf.context import text_config
from utils.wording import counted

log = logging.getLogger(__name__)

MAX_BATCH = 256  # answers; with more, choosing tokens on the CPU takes longer than the model
BLOCK = 256  # tokens; room for a sequence grows by this many
USED_SHARE = 0.8  # of the free memory; the rest is for pieces that cannot be used, and for other programs
COPIES = 1.5  # memory of keys and values, relative to themselves: a layer's are copied when they grow
SCORE_BYTES = 40  # for each token of the vocabulary and answer: scores, sorted scores and their order, random numbers
READING_TOKENS = 16384  # about the most that are read in one call
LAYER_TENSORS = 4  # as wide as a model's widest layer, while it computes


@dataclass(frozen=True)
class GpuRoom:
    """The memory that a loaded model leaves, and what an answer needs of it."""

    devices: tuple[torch.device, ...]
    token_bytes: int  # keys and values of one token in all layers
    answer_bytes: int  # of an answer, in addition to its tokens
    reading_bytes: int  # of a call of the model

    @classmethod
    def of(cls, model: Any, devices: Sequence[torch.device]) -> GpuRoom | None:
        """Return the room beside a model on GPUs; None if its configuration does not have the usual names."""
        config = text_config(model.config)
        layers = _first(config, "num_hidden_layers", "num_layers")
        query_heads = _first(config, "num_attention_heads")
        if not layers or not query_heads:
            return None
        heads = _first(config, "num_key_value_heads", "multi_query_group_num") or query_heads
        dimension = _first(config, "head_dim", "kv_channels") or config.hidden_size // query_heads
        width = _first(config, "intermediate_size", "ffn_hidden_size") or 4 * config.hidden_size
        vocabulary = _first(config, "vocab_size", "padded_vocab_size")
        size = model.dtype.itemsize
        return cls(
            tuple(devices),
            token_bytes=2 * layers * heads * dimension * size,
            answer_bytes=SCORE_BYTES * vocabulary,
            reading_bytes=LAYER_TENSORS * READING_TOKENS * width * size,
        )

    def batch_size(self, longest: int, most: int = MAX_BATCH) -> int:
        """Return the number of answers that fit, at most `most`, if prompt and answer have up to `longest` tokens.

        With 60 GB free, Qwen2.5-7B in bfloat16 (57 kB a token) and 1,500 tokens, (0.8 * 60 GB - 2.5 GB) / 138 MB = 330
        answers would fit, so the batch size is 256.
        """
        free = len(self.devices) * min(map(_free_bytes, self.devices))
        tokens = -(-longest // BLOCK) * BLOCK
        room = USED_SHARE * free - self.reading_bytes
        size = int(room // (COPIES * tokens * self.token_bytes + self.answer_bytes))
        chosen = max(1, min(most, size))
        log.info("%s at once: the GPU's memory has room for %d", counted(chosen, "answer"), max(1, size))
        return chosen


def _free_bytes(device: torch.device) -> int:
    """Return the memory that torch can still use on a GPU; it keeps what was freed."""
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def _first(config: Any, *names: str) -> int:
    """Return the first of some attributes that a configuration has; 0 if it has none."""
    return next((value for name in names if (value := getattr(config, name, None))), 0)
