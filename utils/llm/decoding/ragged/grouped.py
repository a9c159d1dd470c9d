"""A ragged cache for GPUs: the sequences' keys and values are in one tensor a layer, and groups of them are padded.

The example of `cache`: a layer with 8 query heads, 2 key heads and dimension 64 makes keys and values of
(1, 2, 5, 64). They are stored in tensors of (3, 2, 64, 64), at [sequence, :, position]. The queries, (1, 8, 5, 64), are
padded to 3 new tokens a sequence, and the 4 query heads of a key head are put beside each other:

    padded    a4 a4 a4 | b7 b8 b9 | c2 c2 c2      queries  (3, 2, 4 * 3, 64)
    keys      the first 10 of each sequence       keys     (3, 2, 10, 64)
    scores    + mask (-inf for later tokens)      scores   (3, 2, 4 * 3, 10)

The rows of the padding are dropped, and (1, 8, 5, 64) goes back to the model. `layout` computes the indices. Softmax
and both products of a group are one call of torch's fused attention. All indices of a call are copied to the GPU at
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from utils.compute.transfers import indices_on
from utils.llm.decoding.ragged.cache import RaggedCache
from utils.llm.decoding.ragged.layout import Group, RaggedLayout

if TYPE_CHECKING:
    from typing_extensions import Self


class GroupedCache(RaggedCache):
    """The keys and values of up to `capacity` sequences, each layer's on the device of the layer.

    A layer with a window keeps all of them, too, and masks those that are too far away.
    """

    block = 64  # tokens; room for a sequence grows by this many

    def __init__(self, capacity: int, windows: Sequence[int | None] = ()) -> None:
        super().__init__(capacity, windows)
        self.stored: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # layer: see `_empty`

    @torch.inference_mode()
    def add(self, prefix: Self | None = None, count: int = 1) -> None:
        if not count:
            return
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
        moves = [(row, old) for row, old in enumerate(rows) if row != old]
        if moves:
            length = max(self.lengths[old] for _, old in moves)
            for device, tensors in self._by_device().items():
                new, old = indices_on(device, *zip(*moves, strict=True))
                for tensor in map(self._by_position, tensors):
                    tensor[new, :length] = tensor[old, :length]
        self.lengths = [self.lengths[row] for row in rows]

    def _store(self, new: tuple[torch.Tensor, torch.Tensor], layout: Any) -> None:
        self._make_room(self.layer, new)
        for stored, states in zip(self.stored[self.layer], new, strict=True):
            self._by_position(stored)[layout.sequence, layout.position] = states[0].transpose(0, 1)

    def _layout(self, past: Sequence[int], counts: Sequence[int], device: torch.device) -> Any:
        return RaggedLayout.of(past, counts, device)

    def _empty(self, like: torch.Tensor, room: int) -> torch.Tensor:
        """Return zeros for a layer's keys or values: (capacity, heads, room, dimension)."""
        return like.new_zeros(self.capacity, like.shape[1], room, like.shape[3])

    def _by_position(self, stored: torch.Tensor) -> torch.Tensor:
        """Return a layer's keys or values as (capacity, room, heads, dimension), in the same memory."""
        return stored.transpose(1, 2)

    def _attend(self, flat: torch.Tensor, layout: Any, scale: float) -> torch.Tensor:
        repeats = flat.shape[0] // self.stored[self.layer][0].shape[1]
        done = [
            self._attend_group(flat, group, layout.mask(index, repeats, flat.dtype, self.window), scale)
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
        mixed = scaled_dot_product_attention(padded, keys, values, attn_mask=mask, scale=scale)
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
