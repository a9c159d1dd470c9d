"""A ragged cache for GPUs on which torch has an attention kernel for sequences of different lengths.

The kernel (flash attention, in bfloat16 or float16) reads the new tokens of all sequences in one row. It needs no
groups, no padding and no masks, and is called once a layer. It calls a piece of the cache a page. A sequence has one.

The example of `cache`, sequences with 4, 7 and 2 tokens that append 1, 3 and 1:

    starts    0 1 4 5       where the new tokens of each sequence begin, and their end
    lengths   5 10 3        tokens of each sequence, new ones included
    pages     0 1 2         each sequence's page

`trial.fastest_cache` compares its scores with the model's own before it is used: it was never run on a GPU.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch

from utils.compute.transfers import indices_on
from utils.llm.decoding.ragged.grouped import GroupedCache
from utils.llm.decoding.ragged.layout import token_indices

NEEDED = {"seqused_k", "block_table", "enable_gqa", "window_size"}  # parameters of the kernel, which is young
CAUSAL = (-1, 0)  # each new token attends to those before it and to itself


@dataclass(frozen=True)
class PagedLayout:
    """The new tokens of one call of the model, all sequences in one row."""

    sequence: torch.Tensor  # (new tokens,) index of each token's sequence
    position: torch.Tensor  # (new tokens,) position of each token in its sequence, from 0
    last: torch.Tensor  # (sequences,) index of each sequence's last new token
    starts: torch.Tensor  # (sequences + 1,) int32
    ends: torch.Tensor  # (sequences + 1,) int32; sums of `lengths`
    lengths: torch.Tensor  # (sequences,) int32
    pages: torch.Tensor  # (sequences, 1) int32
    width: int  # most new tokens of a sequence
    length: int  # most tokens of a sequence

    @classmethod
    def of(cls, past: Sequence[int], counts: Sequence[int], device: torch.device | str) -> PagedLayout:
        """Return the layout for sequences with `past` tokens that append `counts` tokens, at least one each."""
        lengths = [old + new for old, new in zip(past, counts, strict=True)]
        kernel = [list(accumulate(counts, initial=0)), list(accumulate(lengths, initial=0)), lengths]
        lists = [*token_indices(past, counts), *kernel, range(len(counts))]
        sequence, position, last, *others = indices_on(device, *lists)
        starts, ends, used, pages = (tensor.int() for tensor in others)
        return cls(sequence, position, last, starts, ends, used, pages[:, None], max(counts), max(lengths))


class PagedCache(GroupedCache):
    """The keys and values of up to `capacity` sequences, for torch's attention over pages."""

    block = 256  # the kernel reads pages of multiples of this many tokens

    def _layout(self, past: Sequence[int], counts: Sequence[int], device: torch.device) -> Any:
        return PagedLayout.of(past, counts, device)

    def _empty(self, like: torch.Tensor, room: int) -> torch.Tensor:
        """Return zeros for a layer's keys or values: (capacity, room, heads, dimension)."""
        return like.new_zeros(self.capacity, room, like.shape[1], like.shape[3])

    def _by_position(self, stored: torch.Tensor) -> torch.Tensor:
        return stored

    def _attend(self, flat: torch.Tensor, layout: Any, scale: float) -> torch.Tensor:
        from torch.nn.attention import varlen

        keys, values = (stored[: len(layout.lengths)] for stored in self.stored[self.layer])
        mixed: Any = varlen.varlen_attn(
            flat.transpose(0, 1).contiguous(),  # (new tokens, heads, dimension)
            keys,
            values,
            layout.starts,
            layout.ends,
            layout.width,
            layout.length,
            scale=scale,
            window_size=CAUSAL,
            enable_gqa=keys.shape[2] != flat.shape[0],
            seqused_k=layout.lengths,
            block_table=layout.pages,
        )
        return mixed.transpose(0, 1)


def has_paged_attention(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether torch may have the kernel for this device and data type."""
    if device.type != "cuda" or dtype not in (torch.bfloat16, torch.float16):
        return False
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:  # before torch 2.10
        return False
    return inspect.signature(varlen_attn).parameters.keys() >= NEEDED
