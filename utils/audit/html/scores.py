"""The test scores of the trained models, and the table of an ablation."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from utils.dataset.layout import SIZES, Layout, Size, TrainingData
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import decode_utf8, read_json
from utils.ner.kept_models import find_kept_model
from utils.ner.training.record import SEEDS, TEST_REPORT

TABLE = "table.csv"


@dataclass(frozen=True)
class TestScore:
    """The scores of a trained model on test; with several seeds, F1 is their mean."""

    size: Size
    data: TrainingData
    f1: float
    deviation: float | None  # of the seeds; None: one seed
    precision: float
    recall: float
    per_label: Mapping[str, float]  # F1 of the released model
    note: str  # why it may not be the score of today's data


@dataclass(frozen=True)
class AblationLine:
    """A line of the table of ablate.py, as text; numbers are in points of F1."""

    cells: Mapping[str, str]
    difference: float | None
    low: float | None
    high: float | None

    @property
    def name(self) -> str:
        return f"{self.cells.get('variant', '')} {self.cells.get('size', '')}"


def read_scores(layout: Layout, models: Path, tokenisation: Tokenisation) -> list[TestScore]:
    """Return the scores of all models of the dataset that were evaluated on test."""
    found = []
    for size in SIZES:
        for data in get_args(TrainingData):
            folder = layout.model_folder(size, data, parent=models)
            old = layout.old_model_folder(size, data, parent=models)
            if not any((one / TEST_REPORT).is_file() for one in (folder, old)):
                continue  # no score to show, so do not read the training data
            model = find_kept_model(layout, size, data, models=models, tokenisation=tokenisation)
            if (model.folder / TEST_REPORT).is_file():
                found.append(_score(model.folder, size, data, model.note))
    return found


def read_ablation(layout: Layout) -> list[AblationLine]:
    """Return the lines of the table of the last ablation; none if there was no ablation."""
    file = layout.ablation / TABLE
    if not file.is_file():
        return []
    rows = csv.DictReader(io.StringIO(decode_utf8(file.read_bytes(), str(file))))
    return [
        AblationLine(
            {str(key): str(value or "") for key, value in row.items()},
            *(_float(row.get(key)) for key in ("difference", "low", "high")),
        )
        for row in rows
    ]


def _score(folder: Path, size: Size, data: TrainingData, note: str) -> TestScore:
    report = read_json(folder / TEST_REPORT)
    seeds = read_json(folder / SEEDS) if (folder / SEEDS).is_file() else None
    try:
        micro = report["micro"]
        test: Mapping[str, Any] | None = seeds["test"] if seeds else None
        return TestScore(
            size=size,
            data=data,
            f1=float(test["f1"]["mean"] if test else micro["f1"]),
            deviation=float(test["f1"]["sd"]) if test else None,
            precision=float(test["precision"]["mean"] if test else micro["precision"]),
            recall=float(test["recall"]["mean"] if test else micro["recall"]),
            per_label={str(label): float(row["f1"]) for label, row in report["per_label"].items()},
            note=note,
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{folder} has no valid report of train_ner.py: delete it, and train again") from None


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
