"""A trained span model that marks texts in this process, or in every worker of a Ray cluster (s7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from utils.compute.engine import Engine, Work
from utils.dataset.records import Span

if TYPE_CHECKING:
    from utils.ner.prediction.predictor import SpanNer


@dataclass(frozen=True)
class NerPool:
    """A trained model that has been chosen, and is loaded when the first texts come."""

    folder: Path
    encoder: Path | None  # whose tokenizer is used where the model has none
    gpus: tuple[int, ...]
    batch_size: int
    engine: Engine

    def predict(self, texts: Sequence[Sequence[str]]) -> list[list[Span]]:
        """Return each text's spans, in the order of the texts."""
        # The order in which the model itself makes batches: they are the same in every engine.
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        results = self.engine.run(self._load, [texts[index] for index in order], batch_size=self.batch_size)
        bar = tqdm(results, desc="span model", total=len(texts), unit="sentence", disable=not self.engine.is_pool)
        found = dict(bar)
        spans: list[list[Span]] = [[] for _ in texts]
        for place, index in enumerate(order):
            spans[index] = found[place]
        return spans

    def _load(self) -> Work:
        model = _model(self.folder.absolute(), self.encoder and self.encoder.absolute(), self.engine.seen(self.gpus))
        return partial(_predictions, model, self.batch_size, not self.engine.is_pool)


@cache
def _model(folder: Path, encoder: Path | None, gpus: tuple[int, ...]) -> SpanNer:
    from utils.compute.devices import choose_device
    from utils.ner.prediction.predictor import SpanNer

    return SpanNer.from_pretrained(folder, encoder=encoder, device=choose_device(gpus))


def _predictions(
    model: SpanNer, batch_size: int, progress: bool, texts: Sequence[Sequence[str]]
) -> Iterator[tuple[int, list[Span]]]:
    """Yield (place of the text, its spans)."""
    yield from enumerate(model.predict(texts, batch_size=batch_size, progress=progress))
