"""Sequences of different lengths in one call of a model, without padding: their keys and values, and the attention.

The new tokens of all sequences are handed to the model as one row. All that a decoder-only model computes is computed
for each token by itself, but the attention; where the model calls torch's `scaled_dot_product_attention` for it, each
token attends to its own sequence instead. Serving engines call this ragged (or continuous) batching.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from transformers import Cache

BLOCK = 256  # tokens by which the room of every sequence grows
SHORT = 16  # sequences that append at most so many tokens share one padded attention


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences whose attention is computed at once, padded to the most new tokens of one of them."""

    first: int  # sequence
    past: torch.Tensor  # (sequences,) tokens that each has already
    counts: torch.Tensor  # (sequences,) tokens that each appends
    width: int  # most tokens that one of them appends
    span: int  # most tokens that one of them has afterwards
    gather: torch.Tensor  # (sequences * width,) new token at each padded place; any where there is none
    scatter: torch.Tensor  # (new tokens of the group,) padded place of each new token

    @property
    def sequences(self) -> slice:
        return slice(self.first, self.first + len(self.counts))

    def mask(self, repeats: int) -> torch.Tensor:
        """Return what is added to the scores, -inf for what a token must not see: (sequences, 1, rows, span)."""
        last = self.past[:, None] + torch.arange(self.width, device=self.past.device)  # what each token may see at last
        hidden = torch.arange(self.span, device=self.past.device) > last[:, :, None]
        mask = torch.zeros(hidden.shape, device=self.past.device).masked_fill_(hidden, float("-inf"))
        return mask.repeat(1, repeats, 1)[:, None]


@dataclass
class Call:
    """How the new tokens of one call of the model belong to the sequences."""

    sequence: torch.Tensor  # (new tokens,)
    position: torch.Tensor  # (new tokens,) in its sequence, from 0
    groups: list[Group]
    masks: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict)

    @property
    def last(self) -> torch.Tensor:
        """The place of each sequence's last new token in the row: (sequences,)."""
        return torch.cat([group.counts for group in self.groups]).cumsum(0) - 1

    def mask(self, index: int, repeats: int) -> torch.Tensor:
        """Return a group's mask, which all layers share."""
        if (index, repeats) not in self.masks:
            self.masks[index, repeats] = self.groups[index].mask(repeats)
        return self.masks[index, repeats]


class RaggedCache(Cache):
    """The keys and values of up to `rows` sequences, each layer's on the layer's device."""

    def __init__(self, rows: int, layers: dict[int, tuple[torch.Tensor, torch.Tensor]] | None = None) -> None:
        torch.nn.Module.__init__(self) if issubclass(Cache, torch.nn.Module) else super().__init__(layers=[])
        self.rows = rows
        self.lengths: list[int] = []
        self.stored = layers or {}  # layer -> keys, values: (rows, heads, room, dimension)
        self.call: Call | None = None
        self.layer = 0

    # --- sequences come and go

    @torch.inference_mode()
    def add(self, prefix: RaggedCache | None = None) -> None:
        """Begin a sequence behind the others, with the tokens of the only sequence of `prefix`."""
        row = len(self.lengths)
        self.lengths.append(0 if prefix is None else prefix.lengths[0])
        if prefix is not None:  # a cache without layers of transformers' own is false
            for layer, tensors in prefix.stored.items():
                self._make_room(layer, tensors)
                for own, given in zip(self.stored[layer], tensors, strict=True):
                    own[row, :, : prefix.lengths[0]] = given[0, :, : prefix.lengths[0]]

    @torch.inference_mode()
    def remove(self, row: int) -> None:
        """End a sequence; the last one takes its row."""
        length = self.lengths.pop()
        if row < len(self.lengths):
            self.lengths[row] = length
            for tensors in self.stored.values():
                for tensor in tensors:
                    tensor[row, :, :length] = tensor[len(self.lengths), :, :length]

    # --- one call of the model

    def begin(self, counts: Sequence[int], device: torch.device) -> Call:
        """Return the layout of a call in which each sequence appends `counts` tokens, at least one each."""
        sequence = [row for row, count in enumerate(counts) for _ in range(count)]
        position = [past + place for past, count in zip(self.lengths, counts, strict=True) for place in range(count)]
        groups = [self._group(rows, counts, device) for rows in _groups(counts)]
        self.call = Call(torch.tensor(sequence, device=device), torch.tensor(position, device=device), groups)
        self.lengths = [past + count for past, count in zip(self.lengths, counts, strict=True)]
        return self.call

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Store what a layer has made of the new tokens: each (1, heads, new tokens, dimension).

        Returns the same, which costs the model little to carry on; `attend` uses what is stored.
        """
        self._make_room(layer_idx, (key_states, value_states))
        call = self._call(key_states.device)
        for stored, new in zip(self.stored[layer_idx], (key_states, value_states), strict=True):
            stored[call.sequence, :, call.position] = new[0].transpose(0, 1)
        self.layer = layer_idx
        return key_states, value_states

    def attend(self, query: torch.Tensor, scale: float | None) -> torch.Tensor:
        """Return the attention of the new tokens, in the layer last updated, shaped like `query`.

        `query` holds (1, heads, new tokens, dimension); transformers packs a single token's heads otherwise.
        """
        keys, values = self.stored[self.layer]
        call = self._call(query.device)
        heads, kept, dimension = query.numel() // (len(call.sequence) * query.shape[-1]), keys.shape[1], query.shape[-1]
        flat = query.reshape(heads, -1, dimension)
        done = []
        for index, group in enumerate(call.groups):
            size = len(group.counts)
            padded = flat.index_select(1, group.gather).view(kept, heads // kept, size, group.width, dimension)
            padded = padded.permute(2, 0, 1, 3, 4).reshape(size, kept, -1, dimension)
            room = (group.sequences, slice(None), slice(group.span))
            scores = torch.matmul(padded, keys[room].transpose(2, 3)).float()
            scores = scores * (scale or dimension**-0.5) + call.mask(index, heads // kept)
            mixed = torch.matmul(scores.softmax(-1).to(values.dtype), values[room])
            mixed = mixed.view(size, kept, heads // kept, group.width, -1).permute(1, 2, 0, 3, 4)
            done.append(mixed.reshape(heads, size * group.width, -1).index_select(1, group.scatter))
        return torch.cat(done, 1).reshape(*query.shape[:-1], -1)

    def get_seq_length(self, layer_idx: int | None = 0, *args: Any) -> int:
        """Return a length that no position of the call reaches, less its tokens: what models ask it for."""
        return max(self.lengths, default=0)

    def get_max_length(self) -> int | None:
        return None

    # --- inside

    def _group(self, rows: range, counts: Sequence[int], device: torch.device) -> Group:
        starts = [0, *accumulate(counts)]
        width = max(counts[row] for row in rows)
        places = [[starts[row] + min(place, counts[row] - 1) for place in range(width)] for row in rows]
        filled = [index * width + place for index, row in enumerate(rows) for place in range(counts[row])]
        return Group(
            rows.start,
            torch.tensor([self.lengths[row] for row in rows], device=device),
            torch.tensor([counts[row] for row in rows], device=device),
            width,
            max(self.lengths[row] + counts[row] for row in rows),
            torch.tensor(places, device=device).flatten(),
            torch.tensor(filled, device=device),
        )

    def _make_room(self, layer: int, like: tuple[torch.Tensor, torch.Tensor]) -> None:
        """Give every sequence of a layer room for its tokens."""
        needed = -(-max(self.lengths) // BLOCK) * BLOCK
        kept = self.stored.get(layer)
        if kept is not None and kept[0].shape[2] >= needed:
            return
        grown = tuple(tensor.new_zeros(self.rows, tensor.shape[1], needed, tensor.shape[3]) for tensor in like)
        for old, new in zip(kept or (), grown, strict=bool(kept)):
            new[:, :, : old.shape[2]] = old
        self.stored[layer] = grown  # type: ignore[assignment]

    def _call(self, device: torch.device) -> Call:
        if self.call is None:
            raise RuntimeError("no call has begun")
        return self.call


class RaggedAttention(TorchFunctionMode):
    """While it is entered, torch's attention is that of a ragged cache."""

    def __init__(self, cache: RaggedCache) -> None:
        super().__init__()
        self.cache = cache

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.nn.functional.scaled_dot_product_attention:
            return self.cache.attend(args[0] if args else kwargs["query"], (kwargs or {}).get("scale"))
        return function(*args, **(kwargs or {}))


def _groups(counts: Sequence[int]) -> Iterator[range]:
    """Cut the sequences into runs of neighbours that append few tokens, and single ones that append many."""
    start = 0
    for row, count in enumerate(counts):
        if count > SHORT:
            if start < row:
                yield range(start, row)
            yield range(row, row + 1)
            start = row + 1
    if start < len(counts):
        yield range(start, len(counts))
