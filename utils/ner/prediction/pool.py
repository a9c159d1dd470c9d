"""A trained span model that predicts in this process, or in the workers of a Ray cluster (s7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from utils.compute.engine import Engine
from utils.ner.prediction.judgement import LOWEST_SCORE, Judgement

if TYPE_CHECKING:
    from utils.ner.prediction.predictor import SpanNer

BATCHES = 16  # in a block of texts, which a process gets at a time


@dataclass(frozen=True)
class NerPool:
    """A trained model in one or several processes, each of which loads it when it gets its first texts."""

    folder: Path
    encoder: Path | None  # its tokenizer is used if the model has none
    gpus: tuple[int, ...]
    batch_size: int
    engine: Engine

    def judge(self, texts: Iterable[Sequence[str]]) -> Iterator[Judgement]:
        """Yield the model's judgement of each text, in the order of the texts; the longest must come first."""
        blocks = blocks_of_batches(texts, self.batch_size)
        for judgements in self.engine.map(self._judge_block, blocks, whole_machines=True):
            yield from judgements

    def _judge_block(self, texts: Sequence[Sequence[str]]) -> list[Judgement]:
        model = _model(self.folder.absolute(), self.encoder and self.encoder.absolute(), self.engine.seen(self.gpus))
        return model.judge(texts, self.batch_size, lowest=LOWEST_SCORE)


def blocks_of_batches(texts: Iterable[Sequence[str]], batch_size: int) -> Iterator[list[Sequence[str]]]:
    """Yield texts, the longest first, in blocks of whole batches.

    SpanNer makes the same batches of the blocks as of all texts at once, and so gives the same scores, unless a text is
    longer than the encoder's input.
    """
    from utils.ner.model.word_pieces import batch_limit

    left = iter(texts)
    block: list[Sequence[str]] = []
    for first in left:
        block += [first, *islice(left, batch_limit(len(first), batch_size) - 1)]
        if len(block) >= batch_size * BATCHES:
            yield block
            block = []
    if block:
        yield block


@cache
def _model(folder: Path, encoder: Path | None, gpus: tuple[int, ...]) -> SpanNer:
    """Return the model, which is loaded only once in a process."""
    from utils.compute.devices import choose_device
    from utils.ner.prediction.predictor import SpanNer

    return SpanNer.from_pretrained(folder, encoder=encoder, device=choose_device(gpus))
