"""Check that results, models and copies come from their own size, and that dev and test did not leak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from utils.audit.data import AuditData, Problem, SizeData
from utils.dataset.label_table import read_label_table
from utils.dataset.layout import FULL, SIZES, LabelKind, Size, TrainingData
from utils.dataset.records import same_text_key
from utils.files.jsonl import read_json
from utils.files.manifest import SUFFIX, Manifest, find_stale_inputs, read_manifest
from utils.ner.kept_models import find_kept_model
from utils.ner.training.record import BEST, RECORD
from utils.wording import agreeing, counted


def check_held_out(data: AuditData) -> Iterator[Problem]:
    """Yield the sentences of dev and test that are also training sentences or synthetic sentences.

    The other files have sentences from these two, or the other checks find a problem in them.
    """
    layout = data.layout
    for file, sentences in ((layout.train, data.dataset.sentences), (layout.synthetic(), data.synthetic)):
        for sentence in sentences:
            position = data.held_out.get(same_text_key(sentence.tokens))
            if position is not None:
                yield Problem(file, f"sentence {sentence.id} is also {position}: remove one of the two")


def check_raw(data: AuditData) -> Iterator[Problem]:
    """Yield the sentences that are marked as raw text, and so belong to every size, but are from elsewhere.

    Raw text is from a file that the manifest of s2 names, and copies no sentence of the dataset.
    """
    file = data.layout.synthetic()
    raw = [sentence for sentence in data.synthetic if sentence.is_raw]
    manifest = read_manifest(file)
    if manifest is not None and len(raw) != (kept := manifest.counts.get("raw", {}).get("kept", 0)):
        yield Problem(file, f"{counted(len(raw), 'sentence')} of raw text in it, but s2 kept {kept}: run s2 again")
    own = {same_text_key(sentence.tokens): sentence.id for sentence in reversed(data.dataset.sentences)}
    for sentence in raw:
        if sentence.source is not None:
            yield Problem(file, f"sentence {sentence.id} is marked as raw text, but has the source {sentence.source}")
        if number := own.get(same_text_key(sentence.tokens)):
            known = f"sentence {number} of train_1000.jsonl"
            yield Problem(file, f"sentence {sentence.id} belongs to every size, but it is also {known}")


def check_copies(data: AuditData) -> Iterator[Problem]:
    """Yield the copies of label files that differ from the files of the full size."""
    for kind in get_args(LabelKind):
        copy, own = data.layout.label_file(kind), data.layout.label_file(kind, FULL)
        if copy.is_file() and not (own.is_file() and copy.read_bytes() == own.read_bytes()):
            yield Problem(copy, f"is not a copy of {own}")


def check_manifests(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the results of a size that were made from a file of another size, or from files that have changed since."""
    layout = data.layout
    others = [f"{layout.save_type_name}/{size}/" for size in SIZES if size != size_data.size]
    for path in sorted(layout.size_folder(size_data.size).glob(f"*{SUFFIX}")):
        result = path.with_name(path.name.removesuffix(SUFFIX))
        manifest = read_manifest(result)
        if manifest is None or not result.is_file():
            yield Problem(path, "the result that it describes is missing")
            continue
        for name in manifest.inputs:
            if name.startswith(tuple(others)):
                yield Problem(result, f"was made from {name}, which belongs to another size")
        for name in find_stale_inputs(manifest, layout.find):
            yield Problem(result, f"is stale: {name} has changed since it was made; run {manifest.step} again")


def check_models(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the models that were trained on sentences or label counts from outside their size."""
    manifest = read_manifest(data.layout.size_target(size_data.size))
    if manifest is not None and manifest.parameters.get("model_warning"):
        reason = manifest.parameters["model_warning"]
        yield Problem(data.layout.size_target(size_data.size), f"was labelled by a model of another size: {reason}")
    if manifest is not None and (reason := manifest.parameters.get("model_data")):
        yield Problem(data.layout.size_target(size_data.size), f"was labelled by a model of other data: {reason}")
    records = {_used_model(data, manifest)} if manifest else set()
    for training_data in get_args(TrainingData):
        model = find_kept_model(
            data.layout, size_data.size, training_data, models=data.models, tokenisation=data.dataset.tokenisation
        )
        record = model.folder / BEST / RECORD
        records.add(record)
        if record.is_file() and training_data != "base":
            yield from _check_label_counts(record, data, size_data.size, training_data)
    for record in sorted(record for record in records if record is not None and record.is_file()):
        yield from _check_record(record, data, size_data)


def _used_model(data: AuditData, manifest: Manifest) -> Path | None:
    """Return the path of the record of the model that labelled a size; None if it cannot be found."""
    names = [name for name in manifest.inputs if name.endswith(("/model.safetensors", "/pytorch_model.bin"))]
    return next((data.layout.find(name).parent / RECORD for name in names), None)


def _check_record(file: Path, data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    sentences = set(_record(file)["sentences"])
    if outside := len(sentences - size_data.hashes):
        number, are = counted(len(sentences), "training sentence"), agreeing(outside, "is", "are")
        yield Problem(file, f"{outside} of {number} {are} not in size {size_data.size}")
    for position in sorted(data.held_out_hashes[key] for key in sentences & data.held_out_hashes.keys()):
        yield Problem(file, f"the model was trained on {position}")


def _check_label_counts(file: Path, data: AuditData, size: Size, training_data: TrainingData) -> Iterator[Problem]:
    labels = data.layout.label_file("fusion" if training_data == "fusion" else "syn_fusion", size)
    record = _record(file)
    if not labels.is_file() or not {"labels", "extension_counts", "num_target_labels"} <= record.keys():
        return
    names = record["labels"][record["num_target_labels"] + 1 :]
    if dict(zip(names, record["extension_counts"], strict=True)) != read_label_table(labels).extension_counts:
        yield Problem(file, f"the label counts of the model differ from {labels}: train it again")


def _record(file: Path) -> dict[str, Any]:
    record = read_json(file)
    if not isinstance(record, dict) or not isinstance(record.get("sentences"), list):
        raise ValueError(
            f'{file} has no list of "sentences": train the model again, or delete the file if '
            "train_ner.py did not write it"
        )
    return record
