"""Target labels for synthetic sentences, from a trained span model (s7)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from utils.dataset.records import Sentence, Span, sentence_to_row, text_hash
from utils.files.jsonl import read_json
from utils.ner.label_files import find_label_files, labels_of_model

log = logging.getLogger(__name__)

Predictor = Callable[[Sequence[Sequence[str]]], list[list[Span]]]  # tokens of each text -> its spans


@dataclass(frozen=True)
class TrainedModel:
    """A trained model's folder: the labels that it predicts, and the sentences that it was trained on."""

    folder: Path
    targets: tuple[str, ...]
    sentences: frozenset[str] | None  # text hashes; None: the folder does not say

    @property
    def files(self) -> list[Path]:
        """The files that decide what it predicts."""
        names = ("config.json", "model.safetensors", "pytorch_model.bin")
        files = [self.folder / name for name in names if (self.folder / name).is_file()]
        return files + find_label_files(self.folder)

    def foreign_to(self, sentences: Iterable[Sentence]) -> str | None:
        """Say why the model may know more than `sentences`; None where it was trained on them alone."""
        if self.sentences is None:
            return "it has no training.json, so nobody knows which sentences it was trained on"
        outside = len(self.sentences - {text_hash(sentence.tokens) for sentence in sentences})
        return f"{outside} of its {len(self.sentences)} training sentences are not of this size" if outside else None


def find_model(folder: Path) -> TrainedModel:
    """Return what a trained model's folder says of itself; raise where it is not one."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"--model_from_pretrained: {folder} has no config.json: train it with train_ner.py first"
        )
    labels, targets = labels_of_model(read_json(folder / "config.json"), folder)
    return TrainedModel(folder, labels[1 : targets + 1], _trained_on(folder))


def _trained_on(folder: Path) -> frozenset[str] | None:
    """Return the hashes of the sentences that a model was trained on; None where its folder does not say."""
    record = folder / "training.json"
    if not record.is_file():
        return None
    value = read_json(record)
    if not isinstance(value, dict) or not _are_texts(value.get("sentences")):
        raise ValueError(f'{record} has no list of "sentences": delete it if it is not of train_ner.py')
    return frozenset(value["sentences"])


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def common_targets(model: TrainedModel, targets: Collection[str]) -> frozenset[str]:
    """Return the labels that model and dataset share; warn of others, and raise ValueError where there is none."""
    common = frozenset(model.targets) & frozenset(targets)
    lists = f"the model's labels are {', '.join(model.targets)}; the dataset's are {', '.join(targets)}"
    if not common:
        raise ValueError(f"{model.folder} knows no label of this dataset: {lists}")
    if len(common) < len(model.targets):
        log.warning("labels of %s that the dataset has not are left out: %s", model.folder, lists)
    return common


def check_origin(model: TrainedModel, sentences: Iterable[Sentence], size: str, *, must_fit: bool) -> str | None:
    """Return what has to be noted of a model that may know sentences outside a size, with a warning.

    Raises ValueError where the model `must_fit` the size.
    """
    reason = model.foreign_to(sentences)
    if reason and must_fit:
        raise ValueError(f"{model.folder} cannot mark size {size}: {reason}; train it with --size={size}")
    if reason:
        log.warning(
            "size %s is marked by %s, but %s; a model for each size: {size} in its path", size, model.folder, reason
        )
    return reason


class Marker:
    """Marks sentences with one model, each text once however many sizes it belongs to."""

    def __init__(self, predict: Predictor, labels: Collection[str]) -> None:
        self._predict = predict
        self.labels = labels
        self._known: dict[tuple[str, ...], list[Span]] = {}

    def rows(self, sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Return the lines of the sentences with the spans that the model found as their entities."""
        new = list(dict.fromkeys(s.tokens for s in sentences if s.tokens not in self._known))
        if new:
            self._known.update(zip(new, self._predict(new), strict=True))
        return [sentence_to_row(replace(s, spans=self._spans(s.tokens))) for s in sentences]

    def _spans(self, tokens: tuple[str, ...]) -> tuple[Span, ...]:
        return tuple(replace(span, origin="ner") for span in self._known[tokens] if span.label in self.labels)
