"""The synthetic sentences of each size, labelled by the size's model and written with their review."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from statistics import fmean

from utils.annotation.files import read_annotation_line
from utils.annotation.targets.bounds import has_overlaps
from utils.annotation.targets.spans import target_spans
from utils.dataset.layout import SIZES, Layout, Size
from utils.dataset.reading import Dataset, DatasetInfo, iterate_sentences
from utils.dataset.records import Sentence, Span
from utils.dataset.sentence_file import open_sentences, open_synthetic
from utils.dataset.splits import share_of
from utils.files.joining import LineFinder
from utils.files.jsonl import encode_json, read_lines, replace_file
from utils.files.manifest import build_manifest, hash_inputs, is_as_written, warn_if_stale, write_manifest
from utils.marking.labeller import LLMSpans, TargetLabeller, Teachers
from utils.marking.review import Review, doubtful_mentions
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
    dataset: DatasetInfo,
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
        own = open_sentences(layout.size_sentences(size), tokenisation=tokenisation)
        made = open_synthetic(layout.size_sentences(size, synthetic=True), tokenisation=tokenisation)
        leaks[size] = _first(check_leaks(model, chain(own, made), size, refuse=refuse_leaks) for model in models[size])
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


def label_size(
    layout: Layout, size: Size, chosen: SizeModels, *, dataset: DatasetInfo, drop_disagreeing: bool
) -> Review:
    """Label the synthetic sentences of a size; write them and the mentions to review, and return their counts.

    With `drop_disagreeing`, sentences in which an entity has another label than s2 asked for are dropped.
    """
    source = layout.size_sentences(size, synthetic=True)
    warn_if_stale(source, layout.find)
    sentences = open_synthetic(source, tokenisation=dataset.tokenisation)
    answers = layout.size_annotation_file(size, "target", synthetic=True)
    if answers.is_file():
        warn_if_stale(answers, layout.find)
    inputs = [source, layout.labels, *chosen.files, *([answers] if answers.is_file() else [])]
    hashes = hash_inputs(layout.portable_names(inputs))
    llm_spans = _llm_spans(answers, sentences, nested=_is_nested(layout, dataset)) if answers.is_file() else None
    review = Review(drop_disagreeing)
    target, doubtful = layout.size_target(size), layout.size_review(size)
    with replace_file(doubtful) as mentions_file, replace_file(target) as rows_file:
        for row in chosen.labeller.label(sentences, llm_spans):
            mentions = list(doubtful_mentions(row, chosen.labeller.labels))
            mentions_file.writelines(encode_json(mention) + b"\n" for mention in mentions)
            if review.keeps(row, mentions):
                rows_file.write(encode_json(row) + b"\n")
    parameters: dict[str, object] = {
        "size": size,
        "model_warning": chosen.warning,
        "drop_disagreeing": drop_disagreeing,
    }
    if chosen.data_warning:
        parameters["model_data"] = chosen.data_warning
    if len(chosen.models) > 1:
        parameters["teachers"] = len(chosen.models)
    manifest = build_manifest("s7", hashes, parameters, review.counts)
    for result in (target, doubtful):
        write_manifest(result, manifest)
    return review


def make_labeller(
    models: Sequence[TrainedModel], dataset: Dataset | DatasetInfo, load: Callable[[Path], Judge]
) -> TargetLabeller:
    """Return the labeller with some models; of several, the mean score counts, with the mean of their thresholds."""
    if len(models) > 1:
        log.info("%s label together: %s", counted(len(models), "model"), ", ".join(str(one.folder) for one in models))
    teachers = Teachers(
        judges=[load(model.folder) for model in models],
        threshold=fmean(model.threshold for model in models),
        nested=any(model.nested for model in models),
    )
    return TargetLabeller(teachers, common_targets(models[0], dataset.targets))


def _llm_spans(answers: Path, sentences: Sequence[Sentence], *, nested: bool) -> LLMSpans:
    """Return a function that returns the target spans that the LLM found in a sentence (s3 --mode=target)."""
    if not is_as_written(answers):
        for line in read_lines(answers):  # an error is better before a model is loaded
            read_annotation_line(line, answers)
    finder = LineFinder(answers, lambda: (sentence.id for sentence in sentences))

    def spans_of(sentence_id: str) -> Sequence[Span] | None:
        rows = (read_annotation_line(line, answers) for line in finder.find(sentence_id))
        found = [target_spans(row, nested=nested) for row in rows if row.status == "ok"]
        return found[-1] if found else None

    return spans_of


def _is_nested(layout: Layout, dataset: DatasetInfo) -> bool:
    """Return whether gold spans of the smallest size overlap; other sizes would leak."""
    number = share_of(dataset.num_sentences, min(SIZES.values()))
    sentences = iterate_sentences(layout.train, tokenisation=dataset.tokenisation, check=False)
    return has_overlaps(islice(sentences, number))


def _folders(models: Sequence[TrainedModel]) -> tuple[Path, ...]:
    return tuple(model.folder for model in models)


def _first(reasons: Iterable[str | None]) -> str | None:
    """Return the first reason; all are evaluated, since each logs its own warning."""
    return next((reason for reason in list(reasons) if reason), None)
