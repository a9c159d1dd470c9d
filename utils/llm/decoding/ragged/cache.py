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

    A layer with 8 query heads, 2 key heads and dimension 64 makes keys and values of (1, 2, 5, 64). `update` stores
    them in tensors of (3, 2, 256, 64), at [sequence, :, position]. `attend` gets the queries, (1, 8, 5, 64). It pads
    them to 3 new tokens a sequence, and puts the 4 query heads of a key head beside each other:

        padded    a4 a4 a4 | b7 b8 b9 | c2 c2 c2      queries  (3, 2, 4 * 3, 64)
        keys      the first 10 of each sequence       keys     (3, 2, 10, 64)
        scores    + mask (-inf for later tokens)      scores   (3, 2, 4 * 3, 10)

    The rows of the padding are dropped, and (1, 8, 5, 64) goes back to the model. `layout` computes the indices.
    A sequence with many new tokens, as a prompt, is computed without the others, so padding stays small.

How the model calls this attention
    Nearly all models of transformers can attend with `torch.nn.functional.scaled_dot_product_attention`.
    `scores.RaggedAttention` is a `TorchFunctionMode`, torch's way to redirect its functions inside a `with` block. It
    redirects this one function to `RaggedCache.attend`. So no code of the model is patched or copied, and the code is
    the same for Llama, Qwen, Gemma, and others. Models with windows get masks for them (`RaggedCache.windows`). A model
    that attends in another way would get wrong scores; `trial` compares them with the model's own before the decoder
    is used.

On a GPU
    Softmax and both products of a group are one call of torch's fused attention. All indices of a call are copied
    to the GPU at once. `paged` needs neither groups nor masks, where torch has the kernel for it.

Versions of transformers
    In 4.44, `Cache` is a `torch.nn.Module`, and models call its `get_max_length`. In 5.x, it is a plain class whose
    constructor takes a list of layers, here an empty one. Nothing else depends on the version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import Cache

from utils.compute.transfers import indices_on
from utils.llm.decoding.ragged.layout import Group, RaggedLayout

CHUNK = 512  # largest number of tokens of a sequence in one call; the memory of attention grows with its square


class RaggedCache(Cache):
    """The keys and values of up to `capacity` sequences, each layer's on the device of the layer.

    A layer with a window keeps all of them, too, and masks those that are too far away.
    """

    block = 64  # tokens; room for a sequence grows by this many

    def __init__(self, capacity: int, windows: Sequence[int | None] = ()) -> None:
        torch.nn.Module.__init__(self) if issubclass(Cache, torch.nn.Module) else super().__init__(layers=[])
        self.capacity = capacity
        self.windows = windows  # of each layer; see `hf.context.attention_windows`
        self.lengths: list[int] = []  # tokens of each sequence
        self.stored: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # layer: see `_empty`
        self.layer = 0  # the last one that was updated
        self._call: tuple[list[int], list[int]] = ([], [])  # tokens of each sequence before the call, and new ones
        self._layouts: dict[torch.device, Any] = {}  # of the current call

    @torch.inference_mode()
    def add(self, prefix: RaggedCache | None = None, count: int = 1) -> None:
        """Add `count` sequences after the others; each starts with the tokens of the only sequence of `prefix`."""
        rows = slice(len(self.lengths), len(self.lengths) + count)
        length = 0 if prefix is None else prefix.lengths[0]  # a cache of transformers 5 without layers is false
        self.lengths += [length] * count
        for layer, tensors in (prefix.stored if prefix is not None else {}).items():
            keys, values = (self._by_position(tensor).transpose(1, 2) for tensor in tensors)
            self._make_room(layer, (keys, values))
            for own, given in zip(self.stored[layer], tensors, strict=True):
                self._by_position(own)[rows, :length] = self._by_position(given)[0, :length]

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        """Keep some sequences; sequence `n` is then the one that was sequence `rows[n]`, and the others are removed."""
        moves = [(row, old) for row, old in enumerate(rows) if row != old]
        if moves:
            length = max(self.lengths[old] for _, old in moves)
            for device, tensors in self._by_device().items():
                new, old = indices_on(device, *zip(*moves, strict=True))
                for tensor in map(self._by_position, tensors):
                    tensor[new, :length] = tensor[old, :length]
        self.lengths = [self.lengths[row] for row in rows]

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
        layout = self.layout_on(key_states.device)
        self._make_room(layer_idx, (key_states, value_states))
        for stored, new in zip(self.stored[layer_idx], (key_states, value_states), strict=True):
            self._by_position(stored)[layout.sequence, layout.position] = new[0].transpose(0, 1)
        self.layer = layer_idx
        return key_states, value_states

    def attend(self, query: torch.Tensor, scale: float | None) -> torch.Tensor:
        """Return the attention of the new tokens in the layer that was updated last, shaped like `query`.

        `query` is (1, heads, new tokens, dimension). Some versions of transformers arrange the heads of a single new
        token in another way, so the number of heads is computed from its size.
        """
        layout = self.layout_on(query.device)
        dimension = query.shape[-1]
        heads = query.numel() // (len(layout.sequence) * dimension)
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

    def _layout(self, past: Sequence[int], counts: Sequence[int], device: torch.device) -> Any:
        return RaggedLayout.of(past, counts, device)

    def _empty(self, like: torch.Tensor, room: int) -> torch.Tensor:
        """Return zeros for a layer's keys or values: (capacity, heads, room, dimension)."""
        return like.new_zeros(self.capacity, like.shape[1], room, like.shape[3])

    def _by_position(self, stored: torch.Tensor) -> torch.Tensor:
        """Return a layer's keys or values as (capacity, room, heads, dimension), in the same memory."""
        return stored.transpose(1, 2)

    def _attend(self, flat: torch.Tensor, layout: Any, scale: float) -> torch.Tensor:
        """Return the attention, (heads, new tokens, dimension), for queries of this shape."""
        repeats = flat.shape[0] // self.stored[self.layer][0].shape[1]
        dtype = flat.dtype if flat.device.type == "cuda" else torch.float32
        done = [
            self._attend_group(flat, group, layout.mask(index, repeats, dtype, self.window), scale)
            for index, group in enumerate(layout.groups)
        ]
        return torch.cat(done, 1)

    def _attend_group(self, query: torch.Tensor, group: Group, mask: torch.Tensor, scale: float) -> torch.Tensor:
        """Return a group's attention, (heads, new tokens of the group, dimension), for all queries of the call."""
        keys, values = (stored[group.sequences, :, : group.length] for stored in self.stored[self.layer])
        heads, _, dimension = query.shape
        size, kept = len(group.past), keys.shape[1]
        padded = query.index_select(1, group.gather).view(kept, heads // kept, size, group.width, dimension)
        padded = padded.permute(2, 0, 1, 3, 4).reshape(size, kept, -1, dimension)  # -1: repeats * width
        if query.device.type == "cuda":
            mixed = scaled_dot_product_attention(padded, keys, values, attn_mask=mask, scale=scale)
        else:  # for a few queries on a CPU, these products are several times as fast
            scores = torch.matmul(padded, keys.transpose(2, 3)).float() * scale + mask
            mixed = torch.matmul(scores.softmax(-1).to(values.dtype), values)
        mixed = mixed.view(size, kept, heads // kept, group.width, -1).permute(1, 2, 0, 3, 4)
        return mixed.reshape(heads, size * group.width, -1).index_select(1, group.scatter)

    def _make_room(self, layer: int, like: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Enlarge a layer's tensors until every sequence fits; `like` is (…, heads, …, dimension)."""
        needed = -(-max(self.lengths) // self.block) * self.block
        kept = self.stored.get(layer)
        if kept is not None and self._by_position(kept[0]).shape[1] >= needed:
            return
        keys, values = (self._empty(tensor, needed) for tensor in like)
        for old, new in zip(kept or (), (keys, values), strict=bool(kept)):
            stored = self._by_position(old)
            self._by_position(new)[:, : stored.shape[1]] = stored
        self.stored[layer] = keys, values

    def _by_device(self) -> dict[torch.device, list[torch.Tensor]]:
        """Return the tensors of all layers by their device."""
        found: dict[torch.device, list[torch.Tensor]] = {}
        for tensors in self.stored.values():
            found.setdefault(tensors[0].device, []).extend(tensors)
        return found


MakeCache = Callable[[int], RaggedCache]  # capacity -> an empty cache
