"""Training examples from annotated sentences: windows of words, and the cells of the spans in them."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle, islice

import torch
from torch import Tensor

from utils.compute.transfers import indices_on, to_device
from utils.dataset.records import Sentence
from utils.ner.cell_targets import CellTargets, span_cells
from utils.ner.model.word_pieces import Window, WordEncoder, batches_by_length
from utils.ner.training.settings import Order, TrainingPlan
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

CPU = torch.device("cpu")
POOL_BATCHES = 16  # batches whose examples are sorted by length together; less padding halves the computation
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


def make_examples(
    sentences: Sequence[Sentence],
    words: WordEncoder,
    labels: Sequence[str],
    synthetic_weight: float = 1.0,
    targets_of: Callable[[Sentence], CellTargets] = span_cells,
) -> list[TrainingExample]:
    """Return an example for each window of each sentence, with the cells of the spans that are completely inside it.

    Warns about spans that are not completely inside any window; they are longer than half of the encoder's input.
    """
    columns = {label: column for column, label in enumerate(labels[1:])}
    examples: list[TrainingExample] = []
    lost = 0
    for sentence in sentences:
        windows = words.windows(sentence.tokens)
        weight = synthetic_weight if sentence.is_synthetic else 1.0
        cells = targets_of(sentence)
        examples += [
            TrainingExample(window, _cells(cells, window, columns), weight, sentence.is_synthetic) for window in windows
        ]
        lost += sum(not any(_lies_in(span.start, span.end, window) for window in windows) for span in sentence.spans)
    if lost:
        spans = sum(len(sentence.spans) for sentence in sentences)
        log.warning(
            "%d of %s %s too long for a window of the encoder and ignored",
            lost,
            counted(spans, "span"),
            agreeing(lost, "is", "are"),
        )
    return examples


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
    examples: Sequence[TrainingExample], batch_size: int, rng: random.Random
) -> list[list[TrainingExample]]:
    """Return the examples in a random order as batches of similar length.

    With batch_size 4, the shuffled examples are cut into pools of 64, each pool is sorted by length and cut into 16
    batches, and the batches are shuffled.
    """
    order = rng.sample(examples, len(examples))
    pool = batch_size * POOL_BATCHES
    pools = [sorted(order[start : start + pool], key=_words) for start in range(0, len(order), pool)]
    order = [example for one in pools for example in one]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return rng.sample(batches, len(batches))


def examples_of_epoch(
    examples: Sequence[TrainingExample], epoch: int, plan: TrainingPlan, order: Order
) -> Sequence[TrainingExample]:
    """Return the examples of an epoch, as many in every epoch.

    With `synthetic_first`, the first half of the epochs has the synthetic examples only and the other half the rest
    only. They are repeated until the epoch is full.
    """
    if order == "mixed":
        return examples
    part = [example for example in examples if example.is_synthetic == (epoch < plan.epochs // 2)]
    return list(islice(cycle(part), len(examples))) if part else examples


def step_parts(examples: Sequence[TrainingExample], batch_size: int) -> list[list[TrainingExample]]:
    """Return the examples of a step in parts with at most MOST_CELLS cells each, or with one example."""
    batches = batches_by_length([example.window.words for example in examples], batch_size, MOST_CELLS)
    return [[examples[index] for index in batch] for batch in batches]


def has_nested_spans(sentences: Sequence[Sentence], targets: Sequence[str]) -> bool:
    """Return whether some sentence has two target spans that overlap and are not equal."""
    return any(
        one[0] < other[1] and other[0] < one[1]
        for sentence in sentences
        for one, other in combinations({(s.start, s.end) for s in sentence.spans if s.label in targets}, 2)
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


def _words(example: TrainingExample) -> int:
    return example.window.words
