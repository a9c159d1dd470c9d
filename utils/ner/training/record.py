"""The files in the folder of a trained model, and the record of its settings and data in `training.json`.

Standard library only, so that a finished training is recognised without loading torch.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from utils import __version__
from utils.dataset.records import Sentence
from utils.dataset.tokens import text_hash
from utils.files.differences import find_differences
from utils.files.jsonl import read_json
from utils.files.manifest import fingerprint, fingerprint_of_rows
from utils.files.models import model_identity
from utils.ner.cell_targets import has_scores, judgements
from utils.ner.training.data import NerData
from utils.ner.training.settings import TrainSettings
from utils.wording import listed

log = logging.getLogger(__name__)

BEST, LAST, RECORD = "best", "last", "training.json"
STATE = "state.pt"  # in last/; an interrupted training resumes from it
SAVE_MINUTES = 10.0  # default time between two saved states
LOG, TEST_REPORT, SEEDS = "train_log.jsonl", "test_report.json", "seeds.json"


def training_record(data: NerData, settings: TrainSettings, encoder: str) -> dict[str, Any]:
    """Return the record of a training. It has no times, so that equal trainings have equal records."""
    made_from = {
        "settings": _settings_in_effect(settings, data),
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
        "encoder_name": Path(encoder).name,
        "counts": {"train": len(data.train), "dev": len(data.dev)},
        "sentences": sorted({text_hash(sentence.tokens) for sentence in data.source}),
        "dev_sentences": sorted({text_hash(sentence.tokens) for sentence in data.dev}),
    }


def _settings_in_effect(settings: TrainSettings, data: NerData) -> dict[str, Any]:
    """Return the settings, without those that older versions did not have and that do not matter for these data."""
    rows = asdict(settings)
    if not any(has_scores(sentence) for sentence in data.train):
        del rows["synthetic_targets"]
    if settings.order == "mixed" or not any(sentence.is_synthetic for sentence in data.train):
        del rows["order"]
    return rows


def remove_state(folder: Path) -> None:
    """Remove the saved state, which a finished training does not need: it is several times as large as the model."""
    (folder / LAST / STATE).unlink(missing_ok=True)


def discard_training(folder: Path) -> None:
    """Remove the files of a training in `folder`."""
    for part in (BEST, LAST):
        shutil.rmtree(folder / part, ignore_errors=True)
    for file in (LOG, TEST_REPORT, SEEDS):
        (folder / file).unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of a training; raise ValueError if the file has no such record."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a record of train_ner.py; use --overwrite to replace the model")
    return found


def training_sentences(record: Any, path: Path) -> frozenset[str]:
    """Return the hashes of the sentences that the record of a model lists; raise ValueError that names `path`."""
    found = record.get("sentences") if isinstance(record, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError(
            f'{path} has no list of "sentences": train the model again, or delete the file if train_ner.py did not '
            "write it"
        )
    return frozenset(found)


def is_finished(folder: Path, record: dict[str, Any]) -> bool:
    """Return whether `folder` has a finished model with this `record`; raise ValueError if it has another model."""
    path = folder / BEST / RECORD
    if not path.is_file():
        return False
    found = read_record(path)
    if found.get("fingerprint") != record["fingerprint"]:
        raise ValueError(difference_message(folder, found, record))
    return bool(found.get("finished"))


def difference_message(folder: Path, found: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the error for a folder with the training `found`, which is another one than `record`."""
    keys = ", ".join(key for key in COMPARED if key in record and found.get(key) != record[key]) or "fingerprint"
    details = [*find_differences(_settings_and_labels(found), _settings_and_labels(record))]
    details += [*_encoder_difference(found, record), *_sentences_difference(found, record)]
    return (
        f"{folder} has a model whose training differs in: {keys}; use --overwrite to replace it, or another --save_dir"
        + (f"; different: {listed(details)}" if details else "")
    )


def _settings_and_labels(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a training by their flags, its labels, and the number of spans of each label."""
    settings, labels = record.get("settings") or {}, record.get("labels") or []
    extensions = labels[(record.get("num_target_labels") or 0) + 1 :]
    return {
        **{FLAGS.get(name, name): value for name, value in settings.items()},
        "labels": labels,
        "spans": dict(zip(extensions, record.get("extension_counts") or (), strict=False)),
    }


def _encoder_difference(found: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    if found.get("encoder") == record.get("encoder"):
        return []
    before, now = (str(one.get("encoder_name") or one.get("encoder")) for one in (found, record))
    return (
        ["encoder (other files of the same name)"]
        if before == now
        else find_differences({"encoder": before}, {"encoder": now})
    )


def _sentences_difference(found: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """Return how the training and the dev sentences differ; a record without `data` is not compared."""
    before, now = found.get("data") or {}, record.get("data") or {}
    differences = []
    if now and before.get("train") != now.get("train"):
        old, new = set(found.get("sentences") or ()), set(record.get("sentences") or ())
        what = f"{len(new - old)} added, {len(old - new)} removed" if old != new else "the same texts, with other spans"
        differences.append(f"training sentences ({what})")
    if now and before.get("dev") != now.get("dev"):
        differences.append("dev sentences")
    return differences


def has_failed(record: Mapping[str, Any]) -> bool:
    """Return whether the best model of a training finds no dev span."""
    return bool(record.get("dev", {}).get("micro", {}).get("f1") == 0)


COMPARED = ("settings", "labels", "num_target_labels", "extension_counts", "encoder", "data")
FLAGS = {"encoder_lr": "lr", "span_model": "model"}  # settings whose flags have other names


def data_fingerprint(sentences: Sequence[Sentence]) -> str:
    """Return a fingerprint of sentences with their spans."""
    return fingerprint_of_rows(_key(sentence) for sentence in sentences)


def _key(sentence: Sentence) -> list[object]:
    """Return the content of a sentence that a training depends on."""
    spans = [[span.start, span.end, span.label] for span in sentence.spans]
    judged = judgements(sentence) if sentence.is_synthetic else []
    return [sentence.tokens, spans, *(["synthetic"] if sentence.is_synthetic else []), *judged]
