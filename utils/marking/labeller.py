"""Target labels for synthetic sentences, predicted by a trained span model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from utils.dataset.records import Sentence, Span, sentence_to_row
from utils.files.jsonl import JsonObject
from utils.ner.prediction.texts import Predict


class TargetLabeller:
    """Labels sentences with one model. Each text is predicted once, even if several sizes contain it."""

    def __init__(self, predict: Predict, labels: Collection[str]) -> None:
        self.labels = labels  # that are kept
        self._predict = predict
        self._predicted: dict[tuple[str, ...], list[Span]] = {}

    def label(self, sentences: Sequence[Sentence]) -> list[JsonObject]:
        """Return the sentences' rows, with the predicted spans as their only entities."""
        new = list(dict.fromkeys(s.tokens for s in sentences if s.tokens not in self._predicted))
        if new:
            self._predicted.update(zip(new, self._predict(new), strict=True))
        return [sentence_to_row(replace(s, spans=self._spans(s.tokens))) for s in sentences]

    def _spans(self, tokens: tuple[str, ...]) -> tuple[Span, ...]:
        return tuple(replace(span, origin="ner") for span in self._predicted[tokens] if span.label in self.labels)
