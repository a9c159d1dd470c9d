"""Check that the models of a size, and the model that labelled its sentences, saw nothing from outside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from utils.audit.data import AuditData, AuditFinding, NotSeen, Problem, SizeData
from utils.audit.manifests import hash_of
from utils.dataset.label_table import read_label_table
from utils.dataset.layout import SIZES, Size, TrainingData
from utils.files.jsonl import read_json
from utils.files.manifest import Manifest, read_manifest
from utils.ner.kept_models import KeptModel, find_kept_model, has_training
from utils.ner.training.record import BEST, RECORD, data_fingerprint, training_sentences
from utils.wording import agreeing, counted

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def check_models(data: AuditData, size_data: SizeData) -> Iterator[AuditFinding]:
    """Yield the models that were trained on sentences or label counts from outside their size, or chosen on test."""
    records = set()
    for training_data in get_args(TrainingData):
        model = _kept(data, size_data.size, training_data)
        record = model.folder / BEST / RECORD
        if not record.is_file():
            if has_training(model.folder):
                yield Problem(record, "is missing: which sentences the model was trained on is not known")
            continue
        records.add(record)
        if training_data != "base":
            yield from _check_label_counts(record, data, size_data.size, training_data)
    target = data.layout.size_target(size_data.size)
    manifest = read_manifest(target) if target.is_file() else None
    if manifest is not None:
        yield from _check_warnings(target, manifest)
        used = _used_model(data, manifest, size_data.size)
        if used is None:
            yield Problem(target, f"the model that labelled it was not seen: it is not in {data.models}")
        elif not used.is_file():
            yield Problem(used, f"is missing: which sentences the model of {target.name} was trained on is not known")
        else:
            records.add(used)
    for record in sorted(records):
        yield from _check_record(record, data, size_data)


def find_unseen_models(data: AuditData) -> Iterator[NotSeen]:
    """Yield the kinds of models of which some sizes have none."""
    if not data.models.is_dir():
        yield NotSeen(f"any model: {data.models} is missing")
        return
    for training_data in get_args(TrainingData):
        missing = [size for size in SIZES if not has_training(_kept(data, size, training_data).folder)]
        if missing:
            yield NotSeen(f"a model trained on {training_data} of size {', '.join(missing)}: none in {data.models}")


def has_models(data: AuditData) -> bool:
    """Return whether the record of at least one model was seen."""
    kinds = [(size, training_data) for size in SIZES for training_data in get_args(TrainingData)]
    return any((_kept(data, size, training_data).folder / BEST / RECORD).is_file() for size, training_data in kinds)


def _kept(data: AuditData, size: Size, training_data: TrainingData) -> KeptModel:
    return find_kept_model(data.layout, size, training_data, models=data.models, tokenisation=data.dataset.tokenisation)


def _check_warnings(target: Path, manifest: Manifest) -> Iterator[Problem]:
    if reason := manifest.parameters.get("model_warning"):
        yield Problem(target, f"was labelled by a model of another size: {reason}")
    if reason := manifest.parameters.get("model_data"):
        yield Problem(target, f"was labelled by a model of other data: {reason}")


def _used_model(data: AuditData, manifest: Manifest, size: Size) -> Path | None:
    """Return the path of the record of the model that labelled a size, found by its weights, or None."""
    names = [name for name in manifest.inputs if name.rpartition("/")[2] in WEIGHTS]
    folders = [data.layout.find(name).parent for name in names]
    folders += [_kept(data, size, training_data).folder / BEST for training_data in get_args(TrainingData)]
    for folder in folders:
        for name in names:
            weights = folder / name.rpartition("/")[2]
            if weights.is_file() and hash_of(weights) == manifest.inputs[name]:
                return folder / RECORD
    return None


def _check_record(file: Path, data: AuditData, size_data: SizeData) -> Iterator[AuditFinding]:
    record = _record(file)
    sentences = set(record["sentences"])
    if outside := len(sentences - size_data.hashes):
        number, are = counted(len(sentences), "training sentence"), agreeing(outside, "is", "are")
        yield Problem(file, f"{outside} of {number} {are} not in size {size_data.size}")
    for position in sorted(data.held_out_hashes[key] for key in sentences & data.held_out_hashes.keys()):
        yield Problem(file, f"the model was trained on {position}")
    yield from _check_dev(file, record, data)


def _check_dev(file: Path, record: dict[str, Any], data: AuditData) -> Iterator[AuditFinding]:
    """Yield a problem if the model was chosen on sentences of test."""
    chosen_on = record.get("dev_sentences")
    fingerprints = record["data"].get("dev") if isinstance(record.get("data"), dict) else None
    if isinstance(chosen_on, list):
        shared = [key for key in chosen_on if isinstance(key, str) and key in data.test_hashes]
        if shared:
            number, are = counted(len(chosen_on), "dev sentence"), agreeing(len(shared), "is", "are")
            yield Problem(file, f"the model was chosen on test: {len(shared)} of {number} {are} in test.jsonl")
    elif data.test and fingerprints == data_fingerprint(data.test):
        yield Problem(file, "the model was chosen on test: its dev sentences are those of test.jsonl")
    else:
        yield NotSeen(f"{file} is of an earlier version and does not say which sentences are its dev sentences")


def _check_label_counts(file: Path, data: AuditData, size: Size, training_data: TrainingData) -> Iterator[Problem]:
    labels = data.layout.label_file("fusion" if training_data == "fusion" else "syn_fusion", size)
    record = _record(file)
    if not labels.is_file() or not {"labels", "extension_counts", "num_target_labels"} <= record.keys():
        return
    names = record["labels"][record["num_target_labels"] + 1 :]
    counts = record["extension_counts"]
    if len(names) != len(counts) or dict(zip(names, counts, strict=True)) != read_label_table(labels).extension_counts:
        yield Problem(file, f"the label counts of the model differ from {labels}: train it again")


def _record(file: Path) -> dict[str, Any]:
    record = read_json(file)
    training_sentences(record, file)  # raises ValueError if there is no such list
    is_valid = _is_list(record.get("labels", []), str) and _is_list(record.get("extension_counts", []), int)
    if not is_valid or not isinstance(record.get("num_target_labels", 0), int):
        raise ValueError(f"{file} is not a record of train_ner.py: train the model again")
    return record


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)
