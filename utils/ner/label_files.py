"""The labels of a trained span model, from `config.json` or from a label file in the model's folder.

Checkpoints of the paper's published code have no labels in `config.json`, so users copy the label file there. Standard
library only, so that s7 checks labels before it loads a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utils.dataset.reading import read_labels
from utils.files.jsonl import read_json
from utils.ner.label_set import LabelSet

CONFIG = "config.json"
LABEL_FILES = ("label*.json", "label*.txt")


def find_label_files(folder: Path) -> list[Path]:
    """Return the label files in a checkpoint's folder, sorted by name."""
    return sorted(path for pattern in LABEL_FILES for path in folder.glob(pattern) if path.is_file())


def read_label_file(file: Path) -> LabelSet:
    """Return the labels in a `labels.txt`, a `label_*.json`, a JSON list, or a JSON object {label: index}."""
    if file.suffix != ".json":
        return LabelSet.of_targets(read_labels(file))
    try:
        return LabelSet.from_json(read_json(file))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def labels_of_model(values: Any, folder: Path) -> tuple[tuple[str, ...], int]:
    """Return (labels, number of targets) of a checkpoint; `values` is the content of its `config.json`.

    Without labels in `values`, they are read from the label file in `folder`. Without a number of targets, all labels
    are targets. Raises ValueError if there are no labels or they are malformed.
    """
    config = folder / CONFIG
    if not isinstance(values, dict):
        raise ValueError(f"{config} has no labels: it is not the configuration of a span model")
    if "labels" in values:
        labels, targets = values["labels"], values.get("num_target_labels")
    else:
        known = _labels_in(folder)
        labels, targets = list(known.labels), values.get("num_target_labels", known.num_targets)
    if not isinstance(labels, list) or not all(isinstance(one, str) for one in labels) or type(targets) is not int:
        raise ValueError(f"{config}: labels must be a list of strings, num_target_labels a whole number")
    return tuple(labels), targets


def _labels_in(folder: Path) -> LabelSet:
    """Return the labels in a folder's label file; raise ValueError if there is none, or if several differ."""
    found: Mapping[Path, LabelSet] = {file: read_label_file(file) for file in find_label_files(folder)}
    if not found:
        raise ValueError(
            f"{folder / CONFIG} has no labels: copy the label file that the model was trained with (labels.txt or "
            "label_*.json) into this folder"
        )
    first, *others = found.values()
    if any((other.labels, other.num_targets) != (first.labels, first.num_targets) for other in others):
        names = " and ".join(file.name for file in found)
        raise ValueError(f"{folder} has {names}, which differ: keep only that of the model's training")
    return first
