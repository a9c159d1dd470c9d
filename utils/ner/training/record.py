"""What a training is made from: its settings and data, and the record of them in `training.json`.

Standard library only, so that a training that is already finished is recognised without loading torch.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from utils import __version__
from utils.dataset.records import Sentence, text_hash
from utils.files.jsonl import read_json
from utils.files.manifest import fingerprint, model_identity
from utils.ner.training.data import NerData
from utils.ner.training.settings import TrainSettings

log = logging.getLogger(__name__)

BEST, LAST, RECORD = "best", "last", "training.json"
STATE = "state.pt"  # in last/: all that an interrupted training goes on from
SAVE_MINUTES = 10.0
LOG, TEST_REPORT, SEEDS = "train_log.jsonl", "test_report.json", "seeds.json"


def training_record(data: NerData, settings: TrainSettings, encoder: str) -> dict[str, Any]:
    """Return the record of a training, without times, so that the same training has the same record."""
    made_from = {
        "settings": asdict(settings),
        "labels": list(data.labels.labels),
        "num_target_labels": data.labels.num_targets,
        "extension_counts": list(data.labels.extension_counts),
        "encoder": fingerprint(model_identity(encoder)),
        "data": {"train": data_fingerprint(data.train), "dev": data_fingerprint(data.dev)},
    }
    return {
        "step": "train_ner",
        "version": __version__,
        **made_from,
        "fingerprint": fingerprint(made_from),
        "counts": {"train": len(data.train), "dev": len(data.dev)},
        "sentences": sorted({text_hash(sentence.tokens) for sentence in data.source}),
    }


def remove_state(folder: Path) -> None:
    """Remove what a training that is finished would have gone on from; it is some times the model's size."""
    (folder / LAST / STATE).unlink(missing_ok=True)


def discard_training(folder: Path) -> None:
    """Remove what a training left in `folder`."""
    for part in (BEST, LAST):
        shutil.rmtree(folder / part, ignore_errors=True)
    for file in (LOG, TEST_REPORT, SEEDS):
        (folder / file).unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of a training; raise ValueError where the file holds something else."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a record of train_ner.py; give --overwrite to replace the training")
    return found


def is_finished(folder: Path, record: dict[str, Any]) -> bool:
    """Tell whether `folder` holds the finished training of `record`; raise ValueError where it holds another."""
    path = folder / BEST / RECORD
    if not path.is_file():
        return False
    found = read_record(path)
    if found.get("fingerprint") != record["fingerprint"]:
        differing = ", ".join(key for key in COMPARED if found.get(key) != record[key]) or "fingerprint"
        raise ValueError(f"{folder} holds a training that differs in: {differing}; give --overwrite to replace it")
    return bool(found.get("finished"))


COMPARED = ("settings", "labels", "num_target_labels", "extension_counts", "encoder", "data")


def data_fingerprint(sentences: Sequence[Sentence]) -> str:
    """Return what tells the sentences of a training, with their spans, from others."""
    return fingerprint([_key(sentence) for sentence in sentences])


def _key(sentence: Sentence) -> list[object]:
    spans = [[span.start, span.end, span.label] for span in sentence.spans]
    return [sentence.tokens, spans, *(["synthetic"] if sentence.is_synthetic else [])]
