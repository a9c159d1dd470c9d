"""The runs of the steps and of the trainings, with their times and tokens, from the run logs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from utils.dataset.layout import SIZES, Layout, TrainingData
from utils.files.run_log import logged_number, read_run_log


@dataclass(frozen=True)
class RecordedRun:
    """One line of a run log."""

    step: str
    what: str  # the result, or the folder of the model
    started: str
    status: str
    model: str
    seconds: float
    answers: int
    prompt_tokens: int
    answer_tokens: int
    retries: int


def read_runs(layout: Layout, models: Path) -> list[RecordedRun]:
    """Return the runs of the steps and of the trainings, the earliest first."""
    runs = [_run(row, str(row.get("result", ""))) for row in read_run_log(layout.run_log)]
    for size in SIZES:
        for data in get_args(TrainingData):
            folder = layout.model_folder(size, data, parent=models)
            runs += [_run(row, folder.name) for row in read_run_log(folder / "run.log.jsonl")]
    return sorted(runs, key=lambda run: run.started)


def total(runs: Iterable[RecordedRun]) -> Mapping[str, float]:
    """Return the sums of all runs."""
    rows = list(runs)
    names = ("seconds", "answers", "prompt_tokens", "answer_tokens", "retries")
    return {name: sum(getattr(row, name) for row in rows) for name in names}


def _run(row: Mapping[str, Any], what: str) -> RecordedRun:
    return RecordedRun(
        step=str(row.get("step", "")),
        what=what,
        started=str(row.get("started", "")),
        status=str(row.get("status", "")),
        model=str(row.get("model", "")),
        seconds=float(logged_number(row, "seconds")),
        answers=int(logged_number(row, "answers")),
        prompt_tokens=int(logged_number(row, "prompt_tokens")),
        answer_tokens=int(logged_number(row, "answer_tokens")),
        retries=int(logged_number(row, "retries")),
    )
