"""The trained models of a dataset, and whether their training data are still the data of today.

Standard library only, like the record of a training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from utils.dataset.layout import SIZES, Layout, Size, TrainingData
from utils.dataset.tokens import Tokenisation
from utils.ner.training.data import read_ner_data
from utils.ner.training.record import (
    BEST,
    LAST,
    RECORD,
    SEEDS,
    TEST_REPORT,
    data_fingerprint,
    has_failed,
    read_record,
)

MOST_FREQUENT_FIRST: tuple[TrainingData, ...] = ("fusion", "syn_fusion", "base")  # to read few files

# missing: there is no model; unknown: the model has no record of its data; no data: today's data are missing
DataState = Literal["missing", "same", "changed", "unknown", "no data"]


@dataclass(frozen=True)
class KeptModel:
    """The folder of a trained model, and the state of its training data."""

    folder: Path
    state: DataState
    note: str = ""  # the reason for a state
    is_finished: bool = True


def find_kept_model(
    layout: Layout, size: Size, data: TrainingData, *, models: Path, tokenisation: Tokenisation | None = None
) -> KeptModel:
    """Return the model that was trained on the data of a size below the folder `models`.

    An older version kept models without the name of the LLM. Such a model is found, too, unless its training data are
    not those of today: then it may be the model of another LLM.
    """
    folder = layout.model_folder(size, data, parent=models)
    if has_training(folder):
        return _kept_model(folder, layout, size, data, tokenisation)
    old_folder = layout.old_model_folder(size, data, parent=models)
    if not has_training(old_folder):
        return KeptModel(folder, "missing")
    old = _kept_model(old_folder, layout, size, data, tokenisation)
    if old.state in ("same", "unknown"):
        return old
    return KeptModel(
        folder,
        "missing",
        f"{old_folder} is not used: {old.note}. It may be the model of another LLM; train_ner.py --save_dir trains "
        "in any other folder",
    )


def has_training(folder: Path) -> bool:
    """Return whether a folder has a trained model, or a part or a report of one."""
    return any((folder / name).exists() for name in (BEST, LAST, TEST_REPORT, SEEDS))


def is_trained_on(record: Mapping[str, Any], layout: Layout, tokenisation: Tokenisation | None) -> bool | None:
    """Return whether the record of a model shows training data that the dataset's results have today, of any size.

    None: the record has no fingerprint of its data.
    """
    if "data" not in record:
        return None
    kinds = [(size, data) for data in MOST_FREQUENT_FIRST for size in SIZES]
    return any(_compare(record, layout, size, data, tokenisation)[0] == "same" for size, data in kinds)


def _kept_model(
    folder: Path, layout: Layout, size: Size, data: TrainingData, tokenisation: Tokenisation | None
) -> KeptModel:
    path = folder / BEST / RECORD
    if not path.is_file():
        return KeptModel(folder, "unknown", f"{BEST}/{RECORD} is missing", is_finished=not (folder / LAST).is_dir())
    record = read_record(path)
    state, note = _compare(record, layout, size, data, tokenisation)
    note = note or ("but its dev F1 is 0" if has_failed(record) else "")
    return KeptModel(folder, state, note, is_finished=bool(record.get("finished")))


def _compare(
    record: Mapping[str, Any], layout: Layout, size: Size, data: TrainingData, tokenisation: Tokenisation | None
) -> tuple[DataState, str]:
    """Return whether the recorded data are those of today, and the reason if they are not or cannot be compared."""
    if "data" not in record:
        return "unknown", "its training data cannot be compared"
    sentences, labels = layout.training_files(size, data)
    for file in (sentences, labels):
        if not file.is_file():
            return "no data", f"its training data cannot be compared, because {layout.portable_name(file)} is missing"
    dev = layout.dev if layout.dev.is_file() else None
    seed = (record.get("settings") or {}).get("seed", 0)
    now = read_ner_data(sentences, dev, labels, tokenisation=tokenisation, seed=seed, quiet=True)
    if record["data"] == {"train": data_fingerprint(now.train), "dev": data_fingerprint(now.dev)}:
        return "same", ""
    return "changed", f"the sentences or spans of {sentences.name} have changed since"
