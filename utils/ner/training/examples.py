"""Training examples from annotated sentences: windows of words, and the cells of the spans in them."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from utils.dataset.records import Sentence, Span
from utils.ner.model.word_pieces import Window, WordEncoder, batches_by_length
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

POOL_BATCHES = 16  # batches whose examples are sorted by length together; less padding halves the computation
MOST_CELLS = 1 << 17  # pairs of words in a batch; each takes about 7 kB of memory, with the CNN 20 kB


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A window of a sentence, and the spans in it as cells (first word, last word, column).

    Words are counted from the first word of the window, and the last word is inclusive. For labels ("O", "PER", "LOC"),
    a window of the words 4 to 11 and a span of the words 5 and 6 (start 5, end 7) with the label LOC, the cell is
    (1, 2, 1).
    """

    window: Window
    cells: tuple[tuple[int, int, int], ...]
    weight: float = 1.0  # in the loss


def make_examples(
    sentences: Sequence[Sentence], words: WordEncoder, labels: Sequence[str], synthetic_weight: float = 1.0
) -> list[TrainingExample]:
    """Return an example for each window of each sentence, with the spans that are completely inside it.

    Warns about spans that are not completely inside any window; they are longer than half of the encoder's input.
    """
    columns = {label: column for column, label in enumerate(labels[1:])}
    examples: list[TrainingExample] = []
    lost = 0
    for sentence in sentences:
        windows = words.windows(sentence.tokens)
        weight = synthetic_weight if sentence.is_synthetic else 1.0
        examples += [TrainingExample(window, _cells(sentence, window, columns), weight) for window in windows]
        lost += sum(not any(_lies_in(span, window) for window in windows) for span in sentence.spans)
    if lost:
        spans = sum(len(sentence.spans) for sentence in sentences)
        log.warning(
            "%d of %s %s too long for a window of the encoder and ignored",
            lost,
            counted(spans, "span"),
            agreeing(lost, "is", "are"),
        )
    return examples


def dense_targets(examples: Sequence[TrainingExample], columns: int) -> Tensor:
    """Return (batch, words, words, columns), padded to the longest example: 1 in the cells of spans, else 0."""
    words = max(example.window.words for example in examples)
    targets = torch.zeros(len(examples), words, words, columns)
    for target, example in zip(targets, examples, strict=True):
        for cell in example.cells:
            target[cell] = 1.0
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


def _cells(sentence: Sentence, window: Window, columns: dict[str, int]) -> tuple[tuple[int, int, int], ...]:
    """Return the cells of the spans that are completely inside a window."""
    return tuple(
        (span.start - window.first, span.end - 1 - window.first, columns[span.label])
        for span in sentence.spans
        if _lies_in(span, window)
    )


def _lies_in(span: Span, window: Window) -> bool:
    return window.first <= span.start and span.end <= window.last


def _words(example: TrainingExample) -> int:
    return example.window.words
