"""A trained span model that predicts in this process, or in the workers of a Ray cluster (s7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from utils.compute.engine import Engine, Work
from utils.compute.progress import tracked
from utils.ner.prediction.judgement import LOWEST_SCORE, Judgement

if TYPE_CHECKING:
    from utils.ner.prediction.predictor import SpanNer


@dataclass(frozen=True)
class NerPool:
    """A trained model in one or several processes, each of which loads it when it gets its first texts."""

    folder: Path
    encoder: Path | None  # its tokenizer is used if the model has none
    gpus: tuple[int, ...]
    batch_size: int
    engine: Engine

    def judge(self, texts: Sequence[Sequence[str]]) -> list[Judgement]:
        """Return the model's judgement of each text, in the order of the texts."""
        # Longest first, as SpanNer makes its batches: the batches, and so the scores, are the same in every engine.
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        results = self.engine.run(self._load, [texts[index] for index in order], batch_size=self.batch_size)
        hidden = not self.engine.is_pool  # in this process, the model itself shows its progress
        found = dict(tracked(results, "predicting", total=len(texts), unit="sentence", hidden=hidden))
        by_text = {index: found[position] for position, index in enumerate(order)}
        return [by_text[index] for index in range(len(texts))]

    def _load(self) -> Work:
        """Return the function that predicts, after loading the model."""
        model = _model(self.folder.absolute(), self.encoder and self.encoder.absolute(), self.engine.seen(self.gpus))
        return partial(_judgements, model, self.batch_size, not self.engine.is_pool)


@cache
def _model(folder: Path, encoder: Path | None, gpus: tuple[int, ...]) -> SpanNer:
    """Return the model, which is loaded only once in a process."""
    from utils.compute.devices import choose_device
    from utils.ner.prediction.predictor import SpanNer

    return SpanNer.from_pretrained(folder, encoder=encoder, device=choose_device(gpus))


def _judgements(
    model: SpanNer, batch_size: int, progress: bool, texts: Sequence[Sequence[str]]
) -> Iterator[tuple[int, Judgement]]:
    """Yield (index of the text, its judgement)."""
    yield from enumerate(model.judge(texts, batch_size, lowest=LOWEST_SCORE, progress=progress))
