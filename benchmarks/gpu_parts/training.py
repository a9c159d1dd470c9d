"""Parts (c) and (d): a whole training on a quarter of the dataset, and several trainings side by side."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gpu_parts.setup import Row, Session, sentences_of
from benchmarks.span_cases import random_encoder
from utils.ablation.jobs import Job, run_jobs, start_workers
from utils.ner.training.data import read_ner_data
from utils.ner.training.record import training_record
from utils.ner.training.settings import TrainSettings

SHARE = 0.25  # of the dataset: its size "250"
SIDE_BY_SIDE_EPOCHS = 2  # (c) shows how long a whole training takes
TOGETHER_SECONDS = 30  # at least, for the processes to start


def run(session: Session) -> None:
    """Measure a whole training, and then several at once."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write(session, Path(folder))
        alone = partial(_alone, session, files, session.shapes.training)
        session.measure("c", f"{len(files['train'])} sentences", alone)
        number = session.shapes.trainings
        if session.on_gpu and session.left < TOGETHER_SECONDS:
            session.skipped.append(f"d: {number} trainings: less than {TOGETHER_SECONDS} s were left")
            return
        session.measure("d", f"{number} trainings", partial(_together, session, files, number))


def _write(session: Session, folder: Path) -> dict[str, Any]:
    """Write a quarter of the dataset, another quarter as dev, and a random encoder."""
    rows = sentences_of(session.data)
    size = max(8, int(SHARE * len(rows)))
    parts = {"train": rows[:size], "dev": rows[size : 2 * size]}
    for name, chosen in parts.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    encoder, tokenizer = random_encoder(folder / "train.jsonl", next(iter(session.shapes.encoders.values())))
    encoder.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    return {"folder": folder, "labels": session.data / "labels.txt", **parts}


def _alone(session: Session, files: Mapping[str, Any], settings: TrainSettings) -> Row:
    """Train in this process, and return how long it took."""
    begin = time.monotonic()
    steps = train(files["folder"], files["labels"], settings, gpus=(0,) if session.on_gpu else ())
    seconds = time.monotonic() - begin
    return {
        "sentences": len(files["train"]),
        "steps": steps,
        "seconds": round(seconds, 1),
        "steps/s": round(steps / seconds, 1),
        "memory, GB": session.peak(),
    }


def _together(session: Session, files: Mapping[str, Any], number: int) -> Row:
    """Run short trainings with different seeds in processes of their own on one device."""
    settings = replace(session.shapes.training, epochs=SIDE_BY_SIDE_EPOCHS, min_steps=1)
    jobs: dict[Hashable, Job] = {
        seed: Job(partial(train, files["folder"], files["labels"], replace(settings, seed=seed)))
        for seed in range(number)
    }
    begin = time.monotonic()
    with start_workers(number, (0,) if session.on_gpu else (), files["folder"] / "logs") as workers:
        steps = sum(run_jobs(jobs, workers, lambda result: None).values())
    seconds = time.monotonic() - begin
    return {"trainings": number, "steps": steps, "seconds": round(seconds, 1), "steps/s": round(steps / seconds, 1)}


def train(folder: Path, labels: Path, settings: TrainSettings, *, gpus: tuple[int, ...]) -> int:
    """Train a span model on the files of a folder, and return the number of steps."""
    from utils.compute.devices import choose_device
    from utils.ner.training.trainer import Trainer, TrainRun

    data = read_ner_data(folder / "train.jsonl", folder / "dev.jsonl", labels, tokenisation=None, seed=settings.seed)
    encoder = str(folder / "encoder")
    target = folder / f"model_{settings.seed}_{settings.epochs}"
    trainer = Trainer(
        data, settings, TrainRun(encoder, target, choose_device(gpus)), training_record(data, settings, encoder)
    )
    trainer.train()
    return int(trainer.history[-1]["step"])
