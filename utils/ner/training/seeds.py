"""A training with several seeds: the scores of each, their mean and deviation, and the best model."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from utils.dataset.scores import RATIOS
from utils.files.jsonl import read_json, write_json
from utils.ner.training.record import BEST, COMPARED, RECORD, SEEDS, TEST_REPORT, difference_message, read_record

MicroRatios = Mapping[str, float]  # micro precision, recall and F1, by name


@dataclass(frozen=True, slots=True)
class SeedResult:
    """The scores of the training with one seed."""

    seed: int
    folder: Path
    best_epoch: int
    dev: MicroRatios
    test: MicroRatios | None  # None: no test file


def seed_folder(folder: Path, seed: int) -> Path:
    """Return the folder of the training with one of several seeds."""
    return folder / f"seed_{seed}"


def check_folder(folder: Path, record: Mapping[str, Any]) -> None:
    """Raise ValueError if `folder` has a training that differs from `record` in more than its seed."""
    path = folder / BEST / RECORD
    if path.is_file():
        found, expected = _without_seed(read_record(path)), _without_seed(record)
        if any(found[key] != expected[key] for key in expected):
            raise ValueError(difference_message(folder, found, expected))


def seed_result(folder: Path, seed: int) -> SeedResult:
    """Return the scores of the finished training in `folder`."""
    record = read_json(folder / BEST / RECORD)
    report = folder / TEST_REPORT
    test = read_json(report)["micro"] if report.is_file() else None
    return SeedResult(seed, folder, record["best_epoch"], _ratios(record["dev"]["micro"]), test and _ratios(test))


def conclude(results: Sequence[SeedResult], folder: Path) -> str:
    """Write seeds.json, copy the model with the best dev F1 to `folder`/best, and return a table of the scores."""
    best = max(results, key=lambda result: result.dev["f1"])  # the first, if several are equal
    _release(best.folder, folder)
    rows = [
        {"seed": one.seed, "folder": one.folder.name, "best_epoch": one.best_epoch, "dev": one.dev, "test": one.test}
        for one in results
    ]
    write_json(folder / SEEDS, {"seeds": rows, "released": best.seed, **_summaries(results)})
    return _table(results)


def _release(source: Path, folder: Path) -> None:
    """Copy the model of a seed and its test report to `folder`, from which s7 and report.py read them."""
    partial = folder / f".{BEST}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source / BEST, partial)
    shutil.rmtree(folder / BEST, ignore_errors=True)
    partial.rename(folder / BEST)
    if (source / TEST_REPORT).is_file():
        write_json(folder / TEST_REPORT, read_json(source / TEST_REPORT))


def _summaries(results: Sequence[SeedResult]) -> dict[str, dict[str, dict[str, float]]]:
    """Return mean and sample standard deviation of all ratios on dev and test; the deviation of one seed is 0."""
    columns: dict[str, list[MicroRatios]] = {"dev": [result.dev for result in results]}
    tests = [result.test for result in results if result.test is not None]
    if tests:
        columns["test"] = tests
    return {
        name: {ratio: _mean_and_deviation([row[ratio] for row in rows]) for ratio in RATIOS}
        for name, rows in columns.items()
    }


def _mean_and_deviation(values: Sequence[float]) -> dict[str, float]:
    deviation = stdev(values) if len(values) > 1 else 0.0
    return {"mean": round(fmean(values), 6), "sd": round(deviation, 6)}


def _table(results: Sequence[SeedResult]) -> str:
    """Return a table with a line per seed, the mean and the deviation, in per cent."""
    summaries = _summaries(results)
    head = "".join(f"{f'{name} {ratio}':>9}" for name in summaries for ratio in ("P", "R", "F1"))
    lines = [f"{'seed':>6}{head}"]
    for one in results:
        values = [row[ratio] for row in (one.dev, one.test) if row is not None for ratio in RATIOS]
        lines.append(f"{one.seed:>6}" + "".join(f"{100 * value:9.2f}" for value in values))
    for name, key in (("mean", "mean"), ("±", "sd")):
        values = [summary[ratio][key] for summary in summaries.values() for ratio in RATIOS]
        lines.append(f"{name:>6}" + "".join(f"{100 * value:9.2f}" for value in values))
    return "\n".join(lines)


def _ratios(scores: Mapping[str, Any]) -> dict[str, float]:
    return {name: scores[name] for name in RATIOS}


def _without_seed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a record that do not depend on the seed, which also chooses held-out dev sentences."""
    settings = {key: value for key, value in record.get("settings", {}).items() if key != "seed"}
    kept = {key: record.get(key) for key in (*COMPARED, "sentences") if key != "data"}
    return {**kept, "settings": settings}
