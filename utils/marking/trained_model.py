"""The trained span model that labels a size: its labels, and the sentences of its training."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.dataset.records import Sentence, text_hash
from utils.files.jsonl import read_json
from utils.ner.label_files import find_label_files, labels_of_model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedModel:
    """A trained model's folder, the labels that it predicts, and the sentences that it was trained on."""

    folder: Path
    targets: tuple[str, ...]
    sentences: frozenset[str] | None  # text hashes; None: not recorded

    @property
    def files(self) -> list[Path]:
        """The files that the model's predictions depend on."""
        names = ("config.json", "model.safetensors", "pytorch_model.bin")
        files = [self.folder / name for name in names if (self.folder / name).is_file()]
        return files + find_label_files(self.folder)

    def leak_reason(self, own: Iterable[Sentence]) -> str | None:
        """Return why the model may know sentences other than a size's `own`, or None if it was trained on these only.

        Such a model leaks: its labels on a small size would also reflect the sentences of a larger one.
        """
        if self.sentences is None:
            return "it has no training.json, so nobody knows which sentences it was trained on"
        outside = len(self.sentences - {text_hash(sentence.tokens) for sentence in own})
        return f"{outside} of its {len(self.sentences)} training sentences are not of this size" if outside else None


def find_model(folder: Path) -> TrainedModel:
    """Return the trained model in a folder, read from its small files; raise FileNotFoundError if there is none."""
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"--model_from_pretrained: {folder} has no config.json: train a model with train_ner.py first"
        )
    labels, targets = labels_of_model(read_json(folder / "config.json"), folder)
    return TrainedModel(folder, labels[1 : targets + 1], _training_sentences(folder))


def common_targets(model: TrainedModel, targets: Collection[str]) -> frozenset[str]:
    """Return the target labels of both the model and the dataset.

    Warns about labels of the model that are not in the dataset. Raises ValueError if there is no common label.
    """
    common = frozenset(model.targets) & frozenset(targets)
    lists = f"the model's labels are {', '.join(model.targets)}; the dataset's are {', '.join(targets)}"
    if not common:
        raise ValueError(f"{model.folder} predicts no label of this dataset: {lists}")
    if len(common) < len(model.targets):
        log.warning("labels of %s that are not in the dataset's labels.txt are skipped: %s", model.folder, lists)
    return common


def check_leaks(model: TrainedModel, own: Iterable[Sentence], size: str, *, refuse: bool) -> str | None:
    """Return why the model may know sentences other than a size's `own`, for the manifest, and warn about it.

    Raises ValueError instead with `refuse`: a model that was trained for this size should know no others.
    """
    reason = model.leak_reason(own)
    if reason and refuse:
        raise ValueError(f"{model.folder} cannot label size {size}: {reason}; train it with --size={size}")
    if reason:
        log.warning(
            "size %s is labelled by %s, but %s; to use one model for each size, write {size} in the path",
            size,
            model.folder,
            reason,
        )
    return reason


def _training_sentences(folder: Path) -> frozenset[str] | None:
    """Return the hashes of the sentences that a model was trained on, or None if its folder has no record of them."""
    record = folder / "training.json"
    if not record.is_file():
        return None
    value = read_json(record)
    if not isinstance(value, dict) or not _is_list_of_strings(value.get("sentences")):
        raise ValueError(
            f'{record} has no list of "sentences": train the model again, or delete the file if '
            "train_ner.py did not write it"
        )
    return frozenset(value["sentences"])


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
