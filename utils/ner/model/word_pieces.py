"""Words as word pieces, the input of the encoder. Sentences longer than its input are cut into windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from utils.compute.transfers import to_device

Pieces = tuple[int, ...]

MOST_CELLS = 1 << 19  # pairs of words in a batch: bounds the memory of predictions for any batch size

MAX_CACHED = 200_000  # words whose pieces are in memory, about 40 MB


@dataclass(frozen=True, slots=True)
class Window:
    """The words of a sentence from `first` to `last` (exclusive), each as the ids of its word pieces."""

    first: int
    last: int
    pieces: tuple[Pieces, ...]

    @property
    def words(self) -> int:
        """The number of words."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of the model for several windows, padded to the longest.

    For the windows "anna sees", where "sees" has two pieces, and "rome":

        input_ids       [CLS] anna  see   ##s   [SEP]        word_index  0 1 2 2 0      lengths  2
                        [CLS] rome  [SEP] [PAD] [PAD]                    0 1 0 0 0               1
    """

    input_ids: Tensor  # (batch, pieces)
    attention_mask: Tensor  # (batch, pieces); 0 for padding
    word_index: Tensor  # (batch, pieces); 1 for pieces of the first word, …; 0 for special pieces and padding
    lengths: Tensor  # (batch,); in words
    words: int = 0  # the largest of `lengths`, known to this process: reading it from a GPU would wait for the GPU

    def __post_init__(self) -> None:
        if not self.words:
            object.__setattr__(self, "words", int(self.lengths.max()))

    def rows(self, indices: Sequence[int]) -> Batch:
        """Return the batch of some of the windows, with the same padding."""
        kept = [tensor[list(indices)] for tensor in self._tensors()]
        return Batch(kept[0], kept[1], kept[2], kept[3])

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        moved = [to_device(tensor, device) for tensor in self._tensors()]
        return Batch(moved[0], moved[1], moved[2], moved[3], self.words)

    def _tensors(self) -> tuple[Tensor, ...]:
        return self.input_ids, self.attention_mask, self.word_index, self.lengths


class WordEncoder:
    """Turns words into the pieces of a tokenizer, slow or fast. Each word is tokenised on its own, and usually once.

    A sentence longer than `max_pieces` is cut into windows that overlap by half. A word without pieces, such as a space
    or a control character, becomes the unknown piece. A word longer than a window is truncated to fit.
    """

    def __init__(self, tokenizer: Any, max_pieces: int) -> None:
        self.tokenizer = tokenizer
        self._start = _first_known(tokenizer.cls_token_id, tokenizer.bos_token_id)
        self._end = _first_known(tokenizer.sep_token_id, tokenizer.eos_token_id)
        self._unknown = _first_known(tokenizer.unk_token_id, tokenizer.pad_token_id, 0)[0]
        self._padding = _first_known(tokenizer.pad_token_id, 0)[0]
        self._room = max_pieces - len(self._start) - len(self._end)
        if self._room < 1:  # no window would hold a word, and no sentence would ever end
            raise ValueError(
                f"the encoder reads {max_pieces} word pieces at once, which leaves no room for a word: check "
                "max_position_embeddings in its config.json"
            )
        self._cache: dict[str, Pieces] = {}

    def windows(self, tokens: Sequence[str]) -> list[Window]:
        """Return the windows of a sentence, in order: none if it is empty, and usually one.

        With room for 8 pieces, a sentence of 15 words with one piece each becomes windows of words 0 … 7, 4 … 11 and
        8 … 14. Every span of up to 4 pieces lies completely in one of them; a longer one may not, and is then lost.
        """
        pieces = self._pieces(tokens)
        ends = list(accumulate(map(len, pieces), initial=0))  # ends[i]: number of pieces before word i
        windows: list[Window] = []
        first = last = 0
        while last < len(pieces):
            while last < len(pieces) and ends[last + 1] - ends[first] <= self._room:
                last += 1
            windows.append(Window(first, last, pieces[first:last]))
            # Begin the next window so that it repeats half a window, but at least one word later than this one.
            while first < last and (ends[last] - ends[first] > self._room // 2 or first == windows[-1].first):
                first += 1
        return windows

    def collate(self, windows: Sequence[Window]) -> Batch:
        """Return the windows as one padded batch."""
        ids = [torch.tensor([*self._start, *chain(*window.pieces), *self._end]) for window in windows]
        index = [torch.tensor(self._word_index(window)) for window in windows]
        return Batch(
            input_ids=pad_sequence(ids, batch_first=True, padding_value=self._padding),
            attention_mask=pad_sequence([torch.ones_like(row) for row in ids], batch_first=True),
            word_index=pad_sequence(index, batch_first=True),
            lengths=torch.tensor([window.words for window in windows]),
        )

    def _word_index(self, window: Window) -> list[int]:
        """Return the number of each piece's word, from 1 on; 0 for special pieces."""
        words = chain(*([number] * len(pieces) for number, pieces in enumerate(window.pieces, start=1)))
        return [0] * len(self._start) + list(words) + [0] * len(self._end)

    def _pieces(self, tokens: Sequence[str]) -> tuple[Pieces, ...]:
        """Return the pieces of each token."""
        if len(self._cache) > MAX_CACHED:
            self._cache.clear()
        new = list(dict.fromkeys(token for token in tokens if token not in self._cache))
        if new:
            readable = [token.encode("utf-8", "replace").decode() for token in new]  # replaces lone surrogates
            rows = self.tokenizer(readable, add_special_tokens=False)["input_ids"]
            for token, ids in zip(new, rows, strict=True):
                self._cache[token] = tuple(ids[: self._room]) or (self._unknown,)
        return tuple(self._cache[token] for token in tokens)


def owner(windows: Sequence[Window], start: int, end: int) -> Window:
    """Return the window that scores the span from `start` to `end` (exclusive): where its context is largest.

    The context is the number of words between the span and the nearest end of the window, except for ends of the
    sentence itself. For the windows 0 … 7 and 4 … 11 of a sentence of 12 words, the span of words 6 and 7 has no
    context in the first window and 2 words in the second (4 and 5), which is returned. If equal, the first is returned.
    """
    length = windows[-1].last

    def context(window: Window) -> float:
        left = start - window.first if window.first > 0 else float("inf")
        right = window.last - end if window.last < length else float("inf")
        return min(left, right)

    return max(windows, key=context)


def batches_by_length(lengths: Sequence[int], batch_size: int, most_cells: int = MOST_CELLS) -> list[list[int]]:
    """Return the indices of items in batches of similar length, the longest first.

    Batches of long items are smaller: a batch of items of at most `n` words has at most `most_cells / n²` items.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        size = batch_limit(lengths[order[start]], batch_size, most_cells)
        batches.append(order[start : start + size])
        start += size
    return batches


def batch_limit(longest: int, batch_size: int, most_cells: int = MOST_CELLS) -> int:
    """Return how many items a batch has at most if the longest one has this many words."""
    return max(1, min(batch_size, most_cells // max(1, longest) ** 2))


def _first_known(*ids: int | None) -> list[int]:
    """Return [the first id that is not None], or [] if all are None."""
    return [number for number in ids if number is not None][:1]
