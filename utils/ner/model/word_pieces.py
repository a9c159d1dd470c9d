"""Words as word pieces: what the encoder reads, also where a sentence is longer than it can read at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import accumulate, chain
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Pieces = tuple[int, ...]

MOST_CELLS = 1 << 19  # pairs of words that are predicted at once: bounds the memory, whatever the batch size


@dataclass(frozen=True, slots=True)
class Window:
    """The words of a sentence from `first` to `last` (exclusive), each as its word pieces' ids."""

    first: int
    last: int
    pieces: tuple[Pieces, ...]

    @property
    def words(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of the model for several windows, padded to the longest."""

    input_ids: Tensor  # (batch, pieces)
    attention_mask: Tensor  # (batch, pieces); 0 where there is padding
    word_index: Tensor  # (batch, pieces); 1 for the first word's pieces, …; 0 for special pieces and padding
    lengths: Tensor  # (batch,); in words

    def to(self, device: torch.device) -> Batch:
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


class WordEncoder:
    """Turns words into the pieces of a tokenizer, slow or fast. Each word is tokenised alone, and once.

    A sentence longer than `max_pieces` becomes windows that overlap by half. A word that yields no piece (a blank, a
    control character) is the unknown piece; one that is longer than a whole window keeps as many pieces as fit.
    """

    def __init__(self, tokenizer: Any, max_pieces: int) -> None:
        self.tokenizer = tokenizer
        self._start = _first_known(tokenizer.cls_token_id, tokenizer.bos_token_id)
        self._end = _first_known(tokenizer.sep_token_id, tokenizer.eos_token_id)
        self._unknown = _first_known(tokenizer.unk_token_id, tokenizer.pad_token_id, 0)[0]
        self._padding = _first_known(tokenizer.pad_token_id, 0)[0]
        self._room = max_pieces - len(self._start) - len(self._end)
        self._known: dict[str, Pieces] = {}

    def windows(self, tokens: Sequence[str]) -> list[Window]:
        """Return the windows of a sentence, in order: none if it is empty, and mostly one.

        A span of more pieces than half a window may lie in no window whole, and is then lost.
        """
        pieces = self._pieces(tokens)
        ends = list(accumulate(map(len, pieces), initial=0))  # ends[i]: pieces before word i
        windows: list[Window] = []
        first = last = 0
        while last < len(pieces):
            while last < len(pieces) and ends[last + 1] - ends[first] <= self._room:
                last += 1
            windows.append(Window(first, last, pieces[first:last]))
            while first < last and (ends[last] - ends[first] > self._room // 2 or first == windows[-1].first):
                first += 1
        return windows

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Return the padded batch of some windows."""
        ids = [torch.tensor([*self._start, *chain(*window.pieces), *self._end]) for window in windows]
        index = [torch.tensor(self._word_index(window)) for window in windows]
        return Batch(
            input_ids=pad_sequence(ids, batch_first=True, padding_value=self._padding),
            attention_mask=pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            word_index=pad_sequence(index, batch_first=True),
            lengths=torch.tensor([window.words for window in windows]),
        )

    def _word_index(self, window: Window) -> list[int]:
        words = chain(*([number] * len(pieces) for number, pieces in enumerate(window.pieces, start=1)))
        return [0] * len(self._start) + list(words) + [0] * len(self._end)

    def _pieces(self, tokens: Sequence[str]) -> tuple[Pieces, ...]:
        new = list(dict.fromkeys(token for token in tokens if token not in self._known))
        if new:
            readable = [token.encode("utf-8", "replace").decode() for token in new]  # no halves of surrogate pairs
            rows = self.tokenizer(readable, add_special_tokens=False)["input_ids"]
            for token, ids in zip(new, rows, strict=True):
                self._known[token] = tuple(ids[: self._room]) or (self._unknown,)
        return tuple(self._known[token] for token in tokens)


def owner(windows: Sequence[Window], start: int, end: int) -> Window:
    """Return the window that scores the span from `start` to `end` (exclusive): where it lies farthest from a cut."""
    length = windows[-1].last

    def margin(window: Window) -> float:
        left = start - window.first if window.first > 0 else float("inf")
        right = window.last - end if window.last < length else float("inf")
        return min(left, right)

    return max(windows, key=margin)


def batches_by_length(lengths: Sequence[int], batch_size: int, most_cells: int = MOST_CELLS) -> list[list[int]]:
    """Return the indices of items in batches of similar length, the longest first; long items in smaller batches."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        size = max(1, min(batch_size, most_cells // lengths[order[start]] ** 2))
        batches.append(order[start : start + size])
        start += size
    return batches


def _first_known(*ids: int | None) -> list[int]:
    return [number for number in ids if number is not None][:1]
