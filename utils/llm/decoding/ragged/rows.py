"""A ragged cache for CPUs: each sequence's keys and values are tensors of its own, and a common prefix is there once.

It takes the memory of the tokens that there are. A CPU also spends most of the time of an attention on reading keys and
values: a common prefix is read once for all sequences, and nothing is read for padding.

The example of `cache`, if the first 2 tokens of the sequences are a common prefix, with 8 query heads, 2 key heads and
dimension 64. The new tokens are one run:

    queries    a4 b7 b8 b9 c2                  (5, 2, 4, 64): token, key head, query heads of a key head, dimension
    prefix     2 keys for all                  (2, 2, 64)
    own        2 + 1, 5 + 3, 0 + 1 keys        (2, 64, 64) each: room grows by 64 tokens
    scores     2 + 64 columns                  (5, 2, 4, 66)

The first 2 columns are one product of the queries with the prefix. The others are products of each sequence's queries
with its own keys: a4's, b7's to b9's, c2's. The mask hides later tokens, and room without tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING

import torch

from utils.compute.transfers import indices_on
from utils.llm.decoding.ragged.cache import RaggedCache
from utils.llm.decoding.ragged.layout import token_indices

if TYPE_CHECKING:
    from typing_extensions import Self

BLOCK = 64  # tokens; room for a sequence grows by this many
RUN = 128  # new tokens; the scores of more are not in memory at once

KeysAndValues = tuple[torch.Tensor, torch.Tensor]  # (key heads, room, dimension) each


@dataclass(frozen=True)
class Run:
    """New tokens, at most RUN of them, whose attention is computed at once."""

    tokens: slice  # of the call
    pieces: list[tuple[int, slice]]  # each sequence in the run, and its new tokens, counted from the run's first


@dataclass(frozen=True)
class RowLayout:
    """The new tokens of one call of the model, all sequences in one row."""

    position: torch.Tensor  # (new tokens,) position of each token in its sequence, from 0
    last: torch.Tensor  # (sequences,) index of each sequence's last new token
    tokens: list[slice]  # of each sequence
    runs: list[Run]
    _masks: dict[tuple[int, int | None], torch.Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, past: Sequence[int], counts: Sequence[int]) -> RowLayout:
        """Return the layout for sequences with `past` tokens that append `counts` tokens, at least one each."""
        _, *indices = token_indices(past, counts)
        position, last = indices_on("cpu", *indices)
        ends = list(accumulate(counts))
        tokens = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
        runs = [Run(slice(start, start + RUN), list(_pieces(tokens, start))) for start in range(0, ends[-1], RUN)]
        return cls(position, last, tokens, runs)

    def mask(self, index: int, columns: int, window: int | None) -> torch.Tensor:
        """Return a run's mask, (tokens, 1, 1, columns): -inf for keys that a token does not attend to, and else 0.

        It is computed once for all layers of the model that have the same window.
        """
        key = (index, window)
        if key not in self._masks:
            own = self.position[self.runs[index].tokens, None]
            keys = torch.arange(columns)
            is_hidden = keys > own
            if window is not None:
                is_hidden |= keys <= own - window
            mask = torch.zeros(is_hidden.shape).masked_fill_(is_hidden, float("-inf"))
            self._masks[key] = mask[:, None, None]
        return self._masks[key]


class RowCache(RaggedCache):
    """The keys and values of sequences on a CPU.

    A layer with a window keeps all of them, too, and masks those that are too far away.
    """

    def __init__(self, capacity: int, windows: Sequence[int | None] = ()) -> None:
        super().__init__(capacity, windows)
        self.own: list[dict[int, KeysAndValues]] = []  # of each sequence and layer, those after the prefix
        self.prefix: dict[int, KeysAndValues] = {}  # of each layer
        self.prefix_length = 0

    def add(self, prefix: Self | None = None, count: int = 1) -> None:
        if prefix is not None and not self.prefix:  # a cache of transformers 5 without layers is false
            (self.prefix_length,) = prefix.lengths
            self.prefix = {
                layer: (keys[:, : self.prefix_length], values[:, : self.prefix_length])
                for layer, (keys, values) in prefix.own[0].items()
            }
        self.lengths += [self.prefix_length] * count
        self.own += [{} for _ in range(count)]

    def keep(self, rows: Sequence[int]) -> None:
        self.lengths = [self.lengths[row] for row in rows]
        self.own = [self.own[row] for row in rows]

    @property
    def nbytes(self) -> int:
        """The memory of all keys and values in bytes, room for further tokens included."""
        return sum(tensor.nbytes for layers in (self.prefix, *self.own) for pair in layers.values() for tensor in pair)

    def free_tokens(self, most_bytes: float) -> float:
        stored = next((layers for layers in (self.prefix, *self.own) if layers), {})
        token_bytes = sum(tensor[:, 0].nbytes for pair in stored.values() for tensor in pair)
        return (most_bytes - self.nbytes) / token_bytes if token_bytes else inf

    def _layout(self, past: Sequence[int], counts: Sequence[int], device: torch.device) -> RowLayout:
        return RowLayout.of(past, counts)

    def _store(self, new: KeysAndValues, layout: RowLayout) -> None:
        for layers, tokens, length in zip(self.own, layout.tokens, self.lengths, strict=True):
            end = length - self.prefix_length
            own = layers[self.layer] = _with_room(layers.get(self.layer), new, end)
            for stored, states in zip(own, new, strict=True):
                stored[:, end - (tokens.stop - tokens.start) : end] = states[0, :, tokens]

    def _attend(self, flat: torch.Tensor, layout: RowLayout, scale: float) -> torch.Tensor:
        heads, tokens, dimension = flat.shape
        kept = self.own[0][self.layer][0].shape[0]
        query = flat.view(kept, heads // kept, tokens, dimension).permute(2, 0, 1, 3).contiguous()
        done = [self._attend_run(query[run.tokens], index, layout, scale) for index, run in enumerate(layout.runs)]
        mixed = torch.cat(done) if len(done) > 1 else done[0]  # (new tokens, key heads, repeats, dimension)
        return mixed.permute(1, 2, 0, 3).reshape(heads, tokens, -1)

    def _attend_run(self, query: torch.Tensor, index: int, layout: RowLayout, scale: float) -> torch.Tensor:
        """Return the attention of a run's queries; both are (tokens, key heads, repeats, dimension)."""
        pieces = [(*self.own[row][self.layer], tokens) for row, tokens in layout.runs[index].pieces]
        start = self.prefix_length
        columns = start + max(keys.shape[1] for keys, _, _ in pieces)
        scores = query.new_zeros(*query.shape[:3], columns, dtype=torch.float32)
        if start:
            scores[..., :start] = _product(query, self.prefix[self.layer][0].transpose(1, 2))
        for keys, _, tokens in pieces:
            scores[tokens, ..., start : start + keys.shape[1]] = _product(query[tokens], keys.transpose(1, 2))
        scores.mul_(scale).add_(layout.mask(index, columns, self.window))
        shares = scores.softmax(-1).to(query.dtype)
        dimension = pieces[0][1].shape[2]
        mixed = query.new_zeros(*query.shape[:3], dimension)
        if start:
            mixed += _product(shares[..., :start], self.prefix[self.layer][1])
        for _, values, tokens in pieces:
            mixed[tokens] += _product(shares[tokens, ..., start : start + values.shape[1]], values)
        return mixed


def _pieces(tokens: Sequence[slice], start: int) -> Iterator[tuple[int, slice]]:
    """Yield the pieces of the run that begins with the new token `start` of the call."""
    for row, own in enumerate(tokens):
        first, end = max(own.start - start, 0), min(own.stop - start, RUN)
        if first < end:
            yield row, slice(first, end)


def _with_room(own: KeysAndValues | None, new: KeysAndValues, length: int) -> KeysAndValues:
    """Return a sequence's keys and values in tensors with room for `length` tokens; `new` are (1, heads, …) each."""
    if own is not None and own[0].shape[1] >= length:
        return own
    room = -(-length // BLOCK) * BLOCK
    keys, values = (states.new_zeros(states.shape[1], room, states.shape[3]) for states in new)
    for larger, old in zip((keys, values), own or (), strict=False):
        larger[:, : old.shape[1]] = old
    return keys, values


def _product(rows: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Return the product of each key head: (n, heads, repeats, a) and (heads, a, b) give (n, heads, repeats, b).

    `matrix` is read once for all rows.
    """
    number, heads, repeats, width = rows.shape
    flat = rows.transpose(0, 1).reshape(heads, number * repeats, width)
    return torch.bmm(flat, matrix).view(heads, number, repeats, -1).transpose(0, 1)
