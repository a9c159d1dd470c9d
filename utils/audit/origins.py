"""Whether files, models and copies were made from what belongs to their size, and whether dev or test leaked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from utils.audit.evidence import Breach, Evidence, SizeEvidence
from utils.dataset.label_table import read_label_table
from utils.dataset.layout import FULL, SIZES, LabelKind, Size, TrainingData, model_folder
from utils.dataset.records import same_text_key
from utils.files.jsonl import read_json
from utils.files.manifest import SUFFIX, Manifest, find_stale_inputs, read_manifest


def check_hidden(evidence: Evidence) -> Iterator[Breach]:
    """Yield the sentences of dev and test that stand in the dataset's training sentences or in those of s2.

    All others come from these two files, or are breaches themselves.
    """
    layout = evidence.layout
    for file, sentences in ((layout.train, evidence.dataset.sentences), (layout.synthetic(), evidence.synthetic)):
        for sentence in sentences:
            place = evidence.hidden.get(same_text_key(sentence.tokens))
            if place is not None:
                yield Breach(file, f"sentence {sentence.id} is also in {place}: take it out of one of the two")


def check_copies(evidence: Evidence) -> Iterator[Breach]:
    """Yield the label files at the top that are not the whole size's."""
    for kind in get_args(LabelKind):
        copy, own = evidence.layout.label_file(kind), evidence.layout.label_file(kind, FULL)
        if copy.is_file() and not (own.is_file() and copy.read_bytes() == own.read_bytes()):
            yield Breach(copy, f"is not a copy of {own}")


def check_manifests(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the results of a size whose manifest names another size's file, or inputs that have changed since."""
    layout = evidence.layout
    others = [f"{layout.save_type_name}/{size}/" for size in SIZES if size != own.size]
    for path in sorted(layout.size_folder(own.size).glob(f"*{SUFFIX}")):
        result = path.with_name(path.name.removesuffix(SUFFIX))
        manifest = read_manifest(result)
        if manifest is None or not result.is_file():
            yield Breach(path, "its result is missing")
            continue
        for name in manifest.inputs:
            if name.startswith(tuple(others)):
                yield Breach(result, f"was made from {name}, which is of another size")
        for name in find_stale_inputs(manifest, layout.find):
            what = f"was made from another {name} than there is now, so that nothing is proven"
            yield Breach(result, f"{what}: run {manifest.step} again")


def check_models(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the models that know sentences, or counts, from outside the size that they are used for."""
    manifest = read_manifest(evidence.layout.size_target(own.size))
    if manifest is not None and manifest.parameters.get("model_warning"):
        reason = manifest.parameters["model_warning"]
        yield Breach(evidence.layout.size_target(own.size), f"was marked by a model of another size: {reason}")
    records = {_used_model(evidence, manifest)} if manifest else set()
    for data in get_args(TrainingData):
        folder = model_folder(evidence.layout.file_name, own.size, data, parent=evidence.models)
        record = folder / "best" / "training.json"
        records.add(record)
        if record.is_file() and data != "base":
            yield from _check_weights(record, evidence, own.size, data)
    for record in sorted(record for record in records if record is not None and record.is_file()):
        yield from _check_record(record, evidence, own)


def _used_model(evidence: Evidence, manifest: Manifest) -> Path | None:
    """Return the record of the model that marked a size, where it can be found."""
    names = [name for name in manifest.inputs if name.endswith(("/model.safetensors", "/pytorch_model.bin"))]
    return next((evidence.layout.find(name).parent / "training.json" for name in names), None)


def _check_record(file: Path, evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    sentences = set(_record(file)["sentences"])
    if outside := len(sentences - own.hashes):
        yield Breach(file, f"{outside} of {len(sentences)} training sentences are not of size {own.size}")
    for place in sorted(evidence.hidden_hashes[key] for key in sentences & evidence.hidden_hashes.keys()):
        yield Breach(file, f"the model was trained on {place}")


def _check_weights(file: Path, evidence: Evidence, size: Size, data: TrainingData) -> Iterator[Breach]:
    labels = evidence.layout.label_file("fusion" if data == "fusion" else "syn_fusion", size)
    record = _record(file)
    if not labels.is_file() or not {"labels", "extension_counts", "num_target_labels"} <= record.keys():
        return
    names = record["labels"][record["num_target_labels"] + 1 :]
    if dict(zip(names, record["extension_counts"], strict=True)) != read_label_table(labels).extension_counts:
        yield Breach(file, f"the model's label weights are not those of {labels}: train it again")


def _record(file: Path) -> dict[str, Any]:
    record = read_json(file)
    if not isinstance(record, dict) or not isinstance(record.get("sentences"), list):
        raise ValueError(f'{file} has no list of "sentences": delete it if it is not of train_ner.py')
    return record
