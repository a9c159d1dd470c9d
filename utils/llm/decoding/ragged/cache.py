"""Ragged batches: sequences of different lengths in one call of a model, without padding.

Why
    `generate` pads all prompts of a batch to the longest one, and goes on until its longest answer ends. A ragged
    batch computes real tokens only, and an answer that ends makes room for the next request at once. Serving engines
    call this continuous batching.

How
    The new tokens of all sequences are given to the model as one row, as if they were one sequence. In a decoder-only
    model, every layer but the attention treats each token by itself, so these layers need no change. For the
    attention, `RaggedCache` keeps the keys and values of each sequence apart, and computes, for each new token, the
    attention to its own sequence.

Example
    Sequences A, B and C have 4, 7 and 2 tokens in the cache. B's grammar forced three tokens, the others chose one:

        tokens    a4 b7 b8 b9 c2        (1, 5): what the model is given
        sequence   0  1  1  1  2
        position   4  7  8  9  2        also the position ids for the rotary embedding
        last       0        3  4        the tokens whose scores are needed

    How keys and values are stored, and the attention computed, depends on the device: `rows` is for CPUs, `grouped` for
    GPUs, and `paged` for those on which torch has the kernel for it.

How the model calls this attention
    Nearly all models of transformers can attend with `torch.nn.functional.scaled_dot_product_attention`.
    `scores.RaggedAttention` is a `TorchFunctionMode`, torch's way to redirect its functions inside a `with` block. It
    redirects this one function to `RaggedCache.attend`. So no code of the model is patched or copied, and the code is
    the same for Llama, Qwen, Gemma, and others. Models with windows get masks for them (`RaggedCache.windows`). A model
    that attends in another way would get wrong scores; `trial` compares them with the model's own before the decoder
    is used.

Versions of transformers
    In 4.44, `Cache` is a `torch.nn.Module`, and models call its `get_max_length`. In 5.x, it is a plain class whose
    constructor takes a list of layers, here an empty one. Nothing else depends on the version.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import torch
from transformers import Cache

if TYPE_CHECKING:
    from typing_extensions import Self

CHUNK = 512  # largest number of tokens of a sequence in one call; the memory of attention grows with its square


class RaggedCache(Cache, ABC):
    """The keys and values of up to `capacity` sequences; how they are stored is left to the subclasses."""

    def __init__(self, capacity: int, windows: Sequence[int | None] = ()) -> None:
        torch.nn.Module.__init__(self) if issubclass(Cache, torch.nn.Module) else super().__init__(layers=[])
        self.capacity = capacity
        self.windows = windows  # of each layer; see `hf.context.attention_windows`
        self.lengths: list[int] = []  # tokens of each sequence
        self.layer = 0  # the last one that was updated
        self.used_layers: set[int] = set()
        self._call: tuple[list[int], list[int]] = ([], [])  # tokens of each sequence before the call, and new ones
        self._layouts: dict[torch.device, Any] = {}  # of the current call

    @abstractmethod
    def add(self, prefix: Self | None = None, count: int = 1) -> None:
        """Add `count` sequences after the others; each starts with the tokens of the only sequence of `prefix`.

        All sequences of a cache have the same prefix.
        """

    @abstractmethod
    def keep(self, rows: Sequence[int]) -> None:
        """Keep some sequences; sequence `n` is then the one that was sequence `rows[n]`, and the others are removed."""

    def free_tokens(self, most_bytes: float) -> float:
        """Return for how many more tokens there is room if all may take `most_bytes`; infinite if that is not limited.

        It is negative if they take more already.
        """
        return inf

    def begin(self, counts: Sequence[int]) -> None:
        """Begin a call in which each sequence appends `counts` tokens, at least one each."""
        self._call = self.lengths, list(counts)
        self._layouts = {}
        self.lengths = [past + count for past, count in zip(self.lengths, counts, strict=True)]

    def layout_on(self, device: torch.device) -> Any:
        """Return the layout of the current call on a device; a model on several GPUs needs it on each."""
        if device not in self._layouts:
            self._layouts[device] = self._layout(*self._call, device)
        return self._layouts[device]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store a layer's keys and values of the new tokens: (1, heads, new tokens, dimension) each.

        Models call this. They get the new keys and values back, and pass them to the attention, which is `attend`;
        it uses all that are stored.
        """
        self.layer = layer_idx
        self.used_layers.add(layer_idx)
        self._store((key_states, value_states), self.layout_on(key_states.device))
        return key_states, value_states

    def attend(self, query: torch.Tensor, scale: float | None) -> torch.Tensor:
        """Return the attention of the new tokens in the layer that was updated last, shaped like `query`.

        `query` is (1, heads, new tokens, dimension). Some versions of transformers arrange the heads of a single new
        token in another way, so the number of heads is computed from its size.
        """
        layout = self.layout_on(query.device)
        dimension = query.shape[-1]
        heads = query.numel() // (len(layout.position) * dimension)
        flat = query.reshape(heads, -1, dimension)
        return self._attend(flat, layout, scale or dimension**-0.5).reshape(*query.shape[:-1], -1)

    @property
    def window(self) -> int | None:
        """The number of tokens that the last updated layer attends to, the new one included; None: to all."""
        return self.windows[self.layer] if self.windows else None

    def get_seq_length(self, layer_idx: int | None = 0, *args: Any) -> int:
        """Return the length of the longest sequence. Models ask for it to make positions and masks, unused here."""
        return max(self.lengths, default=0)

    def get_max_length(self) -> int | None:
        return None

    @abstractmethod
    def _layout(self, past: Sequence[int], counts: Sequence[int], device: torch.device) -> Any:
        """Return the layout of a call; it has the `position` of each new token, and the index of each `last` one."""

    @abstractmethod
    def _store(self, new: tuple[torch.Tensor, torch.Tensor], layout: Any) -> None:
        """Store the keys and values of the new tokens in the layer that is being updated."""

    @abstractmethod
    def _attend(self, flat: torch.Tensor, layout: Any, scale: float) -> torch.Tensor:
        """Return the attention, (heads, new tokens, dimension), for queries of this shape."""


MakeCache = Callable[[int], RaggedCache]  # capacity -> an empty cache
