"""Which token of a ragged call belongs to which sequence, and how neighbours are padded for their attention.

The example of `cache`: three sequences have 4, 7 and 2 tokens, and append 1, 3 and 1 tokens.

    >>> layout = RaggedLayout.of(past=[4, 7, 2], counts=[1, 3, 1], device="cpu")
    >>> layout.sequence.tolist(), layout.position.tolist(), layout.last.tolist()
    ([0, 1, 1, 1, 2], [4, 7, 8, 9, 2], [0, 3, 4])
    >>> (group,) = layout.groups
    >>> group.width, group.length
    (3, 10)
    >>> group.gather.view(3, 3).tolist()
    [[0, 0, 0], [1, 2, 3], [4, 4, 4]]
    >>> group.scatter.tolist()
    [0, 3, 4, 5, 6]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import torch

from utils.compute.transfers import indices_on

# On a GPU, each group costs about ten kernels in each layer, so larger groups with more padding are faster.
GPU_PADDING = 2.0  # most padded tokens of a group, as a multiple of its tokens
GPU_ALIGNMENT = 16  # keys; masks of another length are copied before torch's fused attention can read them


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences whose attention is computed at once, padded to the most new tokens of one of them."""

    first: int  # index of the first sequence
    past: torch.Tensor  # (sequences,) tokens that each sequence has already
    width: int  # most new tokens of a sequence
    length: int  # most tokens of a sequence, new ones included
    gather: torch.Tensor  # (sequences * width,) index of the new token at each padded position; any index for padding
    scatter: torch.Tensor  # (new tokens of the group,) padded position of each new token

    @property
    def sequences(self) -> slice:
        return slice(self.first, self.first + len(self.past))

    def mask(self, repeats: int, dtype: torch.dtype, window: int | None = None) -> torch.Tensor:
        """Return a mask to add to the scores: (sequences, 1, repeats * width, length).

        It is -inf for the tokens after the new token itself and before its window, and 0 for the others. `repeats` is
        the number of query heads that share a key head.
        """
        own = self.past[:, None] + torch.arange(self.width, device=self.past.device)  # (sequences, width)
        keys = torch.arange(self.length, device=self.past.device)
        is_hidden = keys > own[:, :, None]
        if window is not None:
            is_hidden |= keys <= own[:, :, None] - window
        mask = torch.zeros(is_hidden.shape, device=self.past.device, dtype=dtype).masked_fill_(is_hidden, float("-inf"))
        return mask.repeat(1, repeats, 1)[:, None]


@dataclass(frozen=True)
class RaggedLayout:
    """The new tokens of one call of the model, all sequences in one row."""

    sequence: torch.Tensor  # (new tokens,) index of each token's sequence
    position: torch.Tensor  # (new tokens,) position of each token in its sequence, from 0
    last: torch.Tensor  # (sequences,) index of each sequence's last new token
    groups: list[Group]
    _masks: dict[tuple[int, int, int | None], torch.Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, past: Sequence[int], counts: Sequence[int], device: torch.device | str) -> RaggedLayout:
        """Return the layout for sequences with `past` tokens that append `counts` tokens, at least one each.

        All indices are copied to the device at once.
        """
        groups = list(_groups(counts))
        lists = [*token_indices(past, counts), *(part for rows in groups for part in _group_indices(rows, counts))]
        sequence, position, last, *parts = indices_on(device, *lists, past)
        made = [
            _group(rows, past, counts, parts[-1], *parts[2 * number : 2 * number + 2])
            for number, rows in enumerate(groups)
        ]
        return cls(sequence, position, last, made)

    def mask(self, index: int, repeats: int, dtype: torch.dtype, window: int | None) -> torch.Tensor:
        """Return a group's mask, which is computed once for all layers of the model that have the same window."""
        key = (index, repeats, window)
        if key not in self._masks:
            self._masks[key] = self.groups[index].mask(repeats, dtype, window)
        return self._masks[key]


def token_indices(past: Sequence[int], counts: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
    """Return the sequence and the position of each new token, and the index of each sequence's last new token."""
    sequence = [row for row, count in enumerate(counts) for _ in range(count)]
    position = [start + step for start, count in zip(past, counts, strict=True) for step in range(count)]
    return sequence, position, [end - 1 for end in accumulate(counts)]


def _group_indices(rows: range, counts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return `gather` and `scatter` of the group of the sequences `rows`."""
    starts = [0, *accumulate(counts)]
    width = max(counts[row] for row in rows)
    gather = [starts[row] + min(column, counts[row] - 1) for row in rows for column in range(width)]
    scatter = [index * width + column for index, row in enumerate(rows) for column in range(counts[row])]
    return gather, scatter


def _group(
    rows: range, past: Sequence[int], counts: Sequence[int], all_past: torch.Tensor, *indices: torch.Tensor
) -> Group:
    length = max(past[row] + counts[row] for row in rows)
    if all_past.device.type == "cuda":  # the cache has room: it grows by multiples of this
        length = -(-length // GPU_ALIGNMENT) * GPU_ALIGNMENT
    width = max(counts[row] for row in rows)
    gather, scatter = indices
    return Group(rows.start, all_past[rows.start : rows.stop], width, length, gather, scatter)


def _groups(counts: Sequence[int]) -> Iterator[range]:
    """Yield the groups: runs of neighbours that are as long as GPU_PADDING allows.

    With counts 1, 1, 1, 40, 60, 30: the first three, padded to 3 tokens, then the others, padded from 130 to 180.
    """
    start, tokens, width = 0, 0, 0
    for row, count in enumerate(counts):
        if row > start and (row + 1 - start) * max(width, count) > GPU_PADDING * (tokens + count):
            yield range(start, row)
            start, tokens, width = row, 0, 0
        tokens, width = tokens + count, max(width, count)
    yield range(start, len(counts))
