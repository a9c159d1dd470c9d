"""The test scores of the trained models, and the table of an ablation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from utils.audit.results import TestScores, read_scores
from utils.dataset.layout import SIZES, Layout, Size, TrainingData
from utils.dataset.tokens import Tokenisation
from utils.files.text_files import read_csv
from utils.ner.kept_models import find_kept_model
from utils.ner.training.record import TEST_REPORT


@dataclass(frozen=True)
class EvaluatedModel:
    """A trained model that was evaluated on test."""

    size: Size
    data: TrainingData
    scores: TestScores
    note: str  # why they may not be the scores of today's data


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


def evaluated_models(layout: Layout, models: Path, tokenisation: Tokenisation) -> list[EvaluatedModel]:
    """Return all models of the dataset that were evaluated on test."""
    found = []
    for size in SIZES:
        for data in get_args(TrainingData):
            folder = layout.model_folder(size, data, parent=models)
            old = layout.old_model_folder(size, data, parent=models)
            if not any((one / TEST_REPORT).is_file() for one in (folder, old)):
                continue  # no score to show, so do not read the training data
            model = find_kept_model(layout, size, data, models=models, tokenisation=tokenisation)
            if (model.folder / TEST_REPORT).is_file():
                found.append(EvaluatedModel(size, data, read_scores(model.folder), model.note))
    return found


def read_ablation(layout: Layout) -> list[AblationLine]:
    """Return the lines of the table of the last ablation; none if there was no ablation."""
    file = layout.ablation_table
    if not file.is_file():
        return []
    return [
        AblationLine(row, *(_float(row.get(key)) for key in ("difference", "low", "high"))) for row in read_csv(file)
    ]


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
