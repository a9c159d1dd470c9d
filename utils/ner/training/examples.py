"""Annotated sentences as what a span model learns from: windows of words, and the cells of their spans."""

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

log = logging.getLogger(__name__)

SORTED_AT_ONCE = 16  # batches: sentences of similar length are put together among so many, which halves the work
MOST_CELLS = 1 << 17  # pairs of words that are learnt from at once; each takes some 7 kB, with the CNN 20


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A window of a sentence, and the spans in it as cells (first word, last word, column of the score)."""

    window: Window
    cells: tuple[tuple[int, int, int], ...]
    weight: float = 1.0  # in the loss


def make_examples(
    sentences: Sequence[Sentence], words: WordEncoder, labels: Sequence[str], synthetic_weight: float = 1.0
) -> list[TrainingExample]:
    """Return an example for each window of each sentence, with the spans that lie in it whole.

    Warns of spans that lie in no window whole, because they are longer than half of what the encoder reads at once.
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
        log.warning("%d of %d spans are too long for a window of the encoder, and are not learnt", lost, spans)
    return examples


def dense_targets(examples: Sequence[TrainingExample], columns: int) -> Tensor:
    """Return (batch, words, words, columns): 1 in the cells of spans, else 0."""
    words = max(example.window.words for example in examples)
    targets = torch.zeros(len(examples), words, words, columns)
    for target, example in zip(targets, examples, strict=True):
        for cell in example.cells:
            target[cell] = 1.0
    return targets


def shuffled_batches(
    examples: Sequence[TrainingExample], batch_size: int, rng: random.Random
) -> list[list[TrainingExample]]:
    """Return the examples of an epoch in random batches, each of similar length."""
    order = rng.sample(examples, len(examples))
    pool = batch_size * SORTED_AT_ONCE
    pools = [sorted(order[start : start + pool], key=_words) for start in range(0, len(order), pool)]
    order = [example for one in pools for example in one]
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return rng.sample(batches, len(batches))


def step_parts(examples: Sequence[TrainingExample], batch_size: int) -> list[list[TrainingExample]]:
    """Return the examples of a step in batches of which each has few enough cells for the memory; one is always."""
    batches = batches_by_length([example.window.words for example in examples], batch_size, MOST_CELLS)
    return [[examples[index] for index in batch] for batch in batches]


def has_nested_spans(sentences: Sequence[Sentence], targets: Sequence[str]) -> bool:
    """Tell whether a target span of some sentence shares words with another of other bounds."""
    return any(
        one[0] < other[1] and other[0] < one[1]
        for sentence in sentences
        for one, other in combinations({(s.start, s.end) for s in sentence.spans if s.label in targets}, 2)
    )


def _cells(sentence: Sentence, window: Window, columns: dict[str, int]) -> tuple[tuple[int, int, int], ...]:
    return tuple(
        (span.start - window.first, span.end - 1 - window.first, columns[span.label])
        for span in sentence.spans
        if _lies_in(span, window)
    )


def _lies_in(span: Span, window: Window) -> bool:
    return window.first <= span.start and span.end <= window.last


def _words(example: TrainingExample) -> int:
    return example.window.words
