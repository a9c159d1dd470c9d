"""Which token of a ragged call belongs to which sequence, and how neighbours are padded for their attention.

The example of `ragged`: three sequences have 4, 7 and 2 tokens, and append 1, 3 and 1 tokens.

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

SHORT = 16  # new tokens; sequences with at most this many are padded to one group, longer ones are groups of their own


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences whose attention is computed at once, padded to the most new tokens of one of them."""

    first: int  # index of the first sequence
    past: torch.Tensor  # (sequences,) tokens that each sequence has already
    counts: torch.Tensor  # (sequences,) new tokens of each sequence
    width: int  # most new tokens of a sequence
    length: int  # most tokens of a sequence, new ones included
    gather: torch.Tensor  # (sequences * width,) index of the new token at each padded position; any index for padding
    scatter: torch.Tensor  # (new tokens of the group,) padded position of each new token

    @classmethod
    def of(cls, rows: range, past: Sequence[int], counts: Sequence[int], device: torch.device | str) -> Group:
        """Return the group of the sequences `rows`."""
        starts = [0, *accumulate(counts)]
        width = max(counts[row] for row in rows)
        gather = [starts[row] + min(column, counts[row] - 1) for row in rows for column in range(width)]
        scatter = [index * width + column for index, row in enumerate(rows) for column in range(counts[row])]
        return cls(
            rows.start,
            torch.tensor([past[row] for row in rows], device=device),
            torch.tensor([counts[row] for row in rows], device=device),
            width,
            max(past[row] + counts[row] for row in rows),
            torch.tensor(gather, device=device),
            torch.tensor(scatter, device=device),
        )

    @property
    def sequences(self) -> slice:
        return slice(self.first, self.first + len(self.counts))

    def mask(self, repeats: int) -> torch.Tensor:
        """Return a mask to add to the scores: (sequences, 1, repeats * width, length).

        It is -inf for the tokens after the new token itself, and 0 for the others. `repeats` is the number of query
        heads that share a key head.
        """
        own = self.past[:, None] + torch.arange(self.width, device=self.past.device)  # (sequences, width)
        is_later = torch.arange(self.length, device=self.past.device) > own[:, :, None]
        mask = torch.zeros(is_later.shape, device=self.past.device).masked_fill_(is_later, float("-inf"))
        return mask.repeat(1, repeats, 1)[:, None]


@dataclass(frozen=True)
class RaggedLayout:
    """The new tokens of one call of the model, all sequences in one row."""

    sequence: torch.Tensor  # (new tokens,) index of each token's sequence
    position: torch.Tensor  # (new tokens,) position of each token in its sequence, from 0
    groups: list[Group]
    _masks: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, past: Sequence[int], counts: Sequence[int], device: torch.device | str) -> RaggedLayout:
        """Return the layout for sequences with `past` tokens that append `counts` tokens, at least one each."""
        sequence = [row for row, count in enumerate(counts) for _ in range(count)]
        position = [start + step for start, count in zip(past, counts, strict=True) for step in range(count)]
        groups = [Group.of(rows, past, counts, device) for rows in _groups(counts)]
        return cls(torch.tensor(sequence, device=device), torch.tensor(position, device=device), groups)

    @property
    def last(self) -> torch.Tensor:
        """The index of each sequence's last new token: (sequences,)."""
        return torch.cat([group.counts for group in self.groups]).cumsum(0) - 1

    def mask(self, index: int, repeats: int) -> torch.Tensor:
        """Return a group's mask, which is computed once for all layers of the model."""
        if (index, repeats) not in self._masks:
            self._masks[index, repeats] = self.groups[index].mask(repeats)
        return self._masks[index, repeats]


def _groups(counts: Sequence[int]) -> Iterator[range]:
    """Yield the groups: runs of neighbours with few new tokens, and each sequence with many alone."""
    start = 0
    for row, count in enumerate(counts):
        if count > SHORT:
            if start < row:
                yield range(start, row)
            yield range(row, row + 1)
            start = row + 1
    if start < len(counts):
        yield range(start, len(counts))
