"""Training examples from annotated sentences: windows of words, and the cells of the spans in them."""

from __future__ import annotations

import logging
import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import overload

import torch
from torch import Tensor

from utils.compute.progress import tracked
from utils.compute.transfers import indices_on, to_device
from utils.dataset.records import Sentence, overlapping_pairs
from utils.ner.cell_targets import CellTargets, span_cells
from utils.ner.model.word_pieces import Window, WordEncoder, batches_by_length
from utils.ner.training.settings import Order, TrainingPlan
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

CPU = torch.device("cpu")
POOL_BATCHES = 16  # batches whose examples are sorted by length together; less padding halves the computation
MAX_KEPT = 10_000  # examples in memory, of about 5 kB each
MOST_CELLS = 1 << 17  # pairs of words in a batch; each takes about 7 kB of memory, with the CNN 20 kB


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A window of a sentence, and the spans in it as cells (first word, last word, column, value).

    Words are counted from the first word of the window, and the last word is inclusive. For labels ("O", "PER", "LOC"),
    a window of the words 4 to 11 and a span of the words 5 and 6 (start 5, end 7) with the label LOC, the cell is
    (1, 2, 1, 1.0). Other values are probabilities, or NaN for cells that the loss leaves out.
    """

    window: Window
    cells: tuple[tuple[int, int, int, float], ...]
    weight: float = 1.0  # in the loss
    is_synthetic: bool = False


class Examples(Sequence[TrainingExample]):
    """An example for each window of each sentence, with the cells of the spans that are completely inside it.

    The first MAX_KEPT examples are kept; later ones are made from their sentences each time that they are asked for.
    Warns about spans that are not completely inside any window; they are longer than half of the encoder's input.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        words: WordEncoder,
        labels: Sequence[str],
        synthetic_weight: float = 1.0,
        targets_of: Callable[[Sentence], CellTargets] = span_cells,
    ) -> None:
        self.lengths = array("L")  # of each example, in words
        self.is_synthetic = bytearray()
        self._sentences = sentences
        self._words = words
        self._columns = {label: column for column, label in enumerate(labels[1:])}
        self._synthetic_weight = synthetic_weight
        self._targets_of = targets_of
        self._sources = array("Q")  # of each example, the index of its sentence
        self._windows = array("L")  # and the number of its window in the sentence
        self._kept: list[TrainingExample] = []
        spans = lost = 0
        for index, sentence in enumerate(tracked(sentences, "preparing", total=len(sentences), unit="sentence")):
            made = self._make(sentence)
            self._add(index, made)
            spans += len(sentence.spans)
            lost += sum(not any(_lies_in(span.start, span.end, one.window) for one in made) for span in sentence.spans)
        if lost:
            log.warning(
                "%d of %s %s too long for a window of the encoder and ignored",
                lost,
                counted(spans, "span"),
                agreeing(lost, "is", "are"),
            )

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, index: int) -> TrainingExample: ...
    @overload
    def __getitem__(self, index: slice) -> list[TrainingExample]: ...
    def __getitem__(self, index: int | slice) -> TrainingExample | list[TrainingExample]:
        number = range(len(self))[index]  # raises IndexError, and counts from the end
        if isinstance(number, range):
            return [self[one] for one in number]
        if number < len(self._kept):
            return self._kept[number]
        return self._make(self._sentences[self._sources[number]])[self._windows[number]]

    def _make(self, sentence: Sentence) -> list[TrainingExample]:
        """Return the examples of a sentence."""
        weight = self._synthetic_weight if sentence.is_synthetic else 1.0
        cells = self._targets_of(sentence)
        return [
            TrainingExample(window, _cells(cells, window, self._columns), weight, sentence.is_synthetic)
            for window in self._words.windows(sentence.tokens)
        ]

    def _add(self, index: int, made: Sequence[TrainingExample]) -> None:
        """Add the examples of the sentence with an index."""
        for number, example in enumerate(made):
            self.lengths.append(example.window.words)
            self.is_synthetic.append(example.is_synthetic)
            self._sources.append(index)
            self._windows.append(number)
            if len(self._kept) < MAX_KEPT:
                self._kept.append(example)


def dense_targets(examples: Sequence[TrainingExample], columns: int, device: torch.device = CPU) -> Tensor:
    """Return (batch, words, words, columns), padded to the longest example: the values of the cells, else 0.

    Only the cells are copied to the device: all zeros of a batch may take 30 MB.
    """
    words = max(example.window.words for example in examples)
    cells = [(row, *cell[:3]) for row, example in enumerate(examples) for cell in example.cells]
    values = torch.tensor([cell[3] for example in examples for cell in example.cells], dtype=torch.float32)
    targets = torch.zeros(len(examples), words, words, columns, device=device)
    if cells:
        targets[tuple(indices_on(device, *zip(*cells, strict=True)))] = to_device(values, device)
    return targets


def shuffled_batches(
    indices: Sequence[int], lengths: Sequence[int], batch_size: int, rng: random.Random
) -> list[list[int]]:
    """Return the indices of examples in a random order as batches of similar length; `lengths` are those of all.

    With batch_size 4, the shuffled examples are cut into pools of 64, each pool is sorted by length and cut into 16
    batches, and the batches are shuffled.
    """
    order = rng.sample(indices, len(indices))
    pool = batch_size * POOL_BATCHES
    pools = [sorted(order[start : start + pool], key=lengths.__getitem__) for start in range(0, len(order), pool)]
    order = [index for one in pools for index in one]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return rng.sample(batches, len(batches))


def indices_of_epoch(examples: Examples, epoch: int, plan: TrainingPlan, order: Order) -> Sequence[int]:
    """Return the indices of the examples of an epoch, as many in every epoch.

    With `synthetic_first`, the first half of the epochs has the synthetic examples only and the other half the rest
    only. They are repeated until the epoch is full.
    """
    everything = range(len(examples))
    if order == "mixed":
        return everything
    part = [index for index in everything if examples.is_synthetic[index] == (epoch < plan.epochs // 2)]
    return list(islice(cycle(part), len(examples))) if part else everything


def step_parts(examples: Sequence[TrainingExample], batch_size: int) -> list[list[TrainingExample]]:
    """Return the examples of a step in parts with at most MOST_CELLS cells each, or with one example."""
    batches = batches_by_length([example.window.words for example in examples], batch_size, MOST_CELLS)
    return [[examples[index] for index in batch] for batch in batches]


def has_nested_spans(sentences: Sequence[Sentence], targets: Sequence[str]) -> bool:
    """Return whether some sentence has two target spans that overlap and are not equal."""
    return any(
        (one.start, one.end) != (other.start, other.end)
        for sentence in sentences
        for one, other in overlapping_pairs(span for span in sentence.spans if span.label in targets)
    )


def _cells(targets: CellTargets, window: Window, columns: Mapping[str, int]) -> tuple[tuple[int, int, int, float], ...]:
    """Return the cells of the spans that are completely inside a window."""
    return tuple(
        (start - window.first, end - 1 - window.first, columns[label], value)
        for (start, end, label), value in targets.items()
        if _lies_in(start, end, window)
    )


def _lies_in(start: int, end: int, window: Window) -> bool:
    return window.first <= start and end <= window.last
