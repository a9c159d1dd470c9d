"""The synthetic sentences of each size, labelled by the size's model and written with their review."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from utils.annotation.files import read_annotations
from utils.annotation.targets.bounds import has_overlaps
from utils.annotation.targets.spans import target_spans
from utils.dataset.layout import SIZES, Layout, Size
from utils.dataset.reading import Dataset, read_sentences, read_synthetic
from utils.dataset.records import Sentence, Span
from utils.dataset.splits import smallest_size
from utils.files.manifest import build_manifest, hash_inputs, publish, warn_if_stale
from utils.marking.labeller import TargetLabeller, Teachers
from utils.marking.review import Review, review
from utils.marking.trained_model import (
    TrainedModel,
    check_data,
    check_leaks,
    check_same_models,
    common_targets,
    find_model_folder,
    find_teachers,
)
from utils.ner.prediction.judgement import Judge
from utils.wording import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelFolders:
    """The folders of the models that label the sizes, as the user gives them."""

    by_size: Mapping[Size, Path]
    encoder: str | None = None  # the folder of the base encoder


@dataclass(frozen=True)
class SizeModels:
    """The models that label one size."""

    models: Sequence[TrainedModel]
    labeller: TargetLabeller  # one object for all sizes with these models
    warning: str | None  # why a model may know sentences of larger sizes
    data_warning: str | None  # why a model may be that of another LLM

    @property
    def files(self) -> list[Path]:
        """The files that the labels depend on."""
        return [file for model in self.models for file in model.files]


def find_size_models(
    layout: Layout,
    dataset: Dataset,
    folders: ModelFolders,
    load: Callable[[Path], Judge],
    *,
    refuse_leaks: bool,
    overwrite: bool = False,
) -> dict[Size, SizeModels]:
    """Return the models of each size from their folders; several sizes may share them.

    `load` returns the function that judges with the model of a folder; a model without a tokenizer has that of the base
    encoder. A model that may know other sentences than those of its size causes a warning, or with `refuse_leaks` a
    ValueError. Raises ValueError if a size was labelled by another model before, unless its result may be overwritten.
    """
    tokenisation = dataset.tokenisation
    models = {
        size: find_teachers(
            find_model_folder(folders.by_size[size], layout, size, tokenisation=tokenisation), folders.encoder
        )
        for size in SIZES
    }
    if not overwrite:
        for size, teachers in models.items():
            check_same_models(layout, size, teachers)
    leaks = {}
    for size in SIZES:
        own = read_sentences(layout.size_sentences(size), tokenisation=tokenisation)
        own += read_synthetic(layout.size_sentences(size, synthetic=True), tokenisation=tokenisation)
        leaks[size] = _first(check_leaks(model, own, size, refuse=refuse_leaks) for model in models[size])
    distinct = {_folders(teachers): teachers for teachers in models.values()}
    data_warnings = {
        folders: _first(check_data(model, layout, tokenisation=tokenisation) for model in teachers)
        for folders, teachers in distinct.items()
    }
    labellers = {folders: make_labeller(teachers, dataset, load) for folders, teachers in distinct.items()}
    return {
        size: SizeModels(teachers, labellers[_folders(teachers)], leaks[size], data_warnings[_folders(teachers)])
        for size, teachers in models.items()
    }


def label_size(layout: Layout, size: Size, chosen: SizeModels, *, dataset: Dataset, drop_disagreeing: bool) -> Review:
    """Label the synthetic sentences of a size; write and return them with the mentions to review.

    With `drop_disagreeing`, sentences in which an entity has another label than s2 asked for are dropped.
    """
    source = layout.size_sentences(size, synthetic=True)
    warn_if_stale(source, layout.find)
    sentences = read_synthetic(source, tokenisation=dataset.tokenisation)
    answers = layout.size_annotation_file(size, "target", synthetic=True)
    if answers.is_file():
        warn_if_stale(answers, layout.find)
    inputs = [source, layout.labels, *chosen.files, *([answers] if answers.is_file() else [])]
    hashes = hash_inputs(layout.portable_names(inputs))
    rows = chosen.labeller.label(sentences, _llm_spans(answers, sentences, dataset))
    labelled = review(rows, chosen.labeller.labels)
    kept = labelled.without_disagreeing() if drop_disagreeing else labelled
    parameters: dict[str, object] = {
        "size": size,
        "model_warning": chosen.warning,
        "drop_disagreeing": drop_disagreeing,
    }
    if chosen.data_warning:
        parameters["model_data"] = chosen.data_warning
    if len(chosen.models) > 1:
        parameters["teachers"] = len(chosen.models)
    manifest = build_manifest("s7", hashes, parameters, kept.counts)
    publish(layout.size_target(size), kept.rows, manifest)
    publish(layout.size_review(size), kept.mentions, manifest)
    return kept


def make_labeller(models: Sequence[TrainedModel], dataset: Dataset, load: Callable[[Path], Judge]) -> TargetLabeller:
    """Return the labeller with some models; of several, the mean score counts, with the mean of their thresholds."""
    if len(models) > 1:
        log.info("%s label together: %s", counted(len(models), "model"), ", ".join(str(one.folder) for one in models))
    teachers = Teachers(
        judges=[load(model.folder) for model in models],
        threshold=fmean(model.threshold for model in models),
        nested=any(model.nested for model in models),
    )
    return TargetLabeller(teachers, common_targets(models[0], dataset.targets))


def _llm_spans(answers: Path, sentences: Sequence[Sentence], dataset: Dataset) -> dict[str, Sequence[Span]] | None:
    """Return the target spans that the LLM found, by the id of the sentence; None if it was not asked for them (s3)."""
    if not answers.is_file():
        return None
    nested = has_overlaps(smallest_size(dataset.sentences))  # of the smallest size: no leak
    rows = read_annotations(answers, "target", sentences)
    return {row.id: target_spans(row, nested=nested) for row in rows if row.id and row.status == "ok"}


def _folders(models: Sequence[TrainedModel]) -> tuple[Path, ...]:
    return tuple(model.folder for model in models)


def _first(reasons: Iterable[str | None]) -> str | None:
    """Return the first reason; all are evaluated, since each logs its own warning."""
    return next((reason for reason in list(reasons) if reason), None)
