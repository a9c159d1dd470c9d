"""The synthetic sentences of each size, labelled by the size's model and written with their review."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.layout import SIZES, Layout, Size
from utils.dataset.reading import Dataset, read_sentences, read_synthetic
from utils.dataset.tokens import Tokenisation
from utils.files.manifest import build_manifest, hash_inputs, publish, warn_if_stale
from utils.marking.labeller import TargetLabeller
from utils.marking.review import Review, review
from utils.marking.trained_model import (
    TrainedModel,
    check_data,
    check_leaks,
    check_same_model,
    common_targets,
    find_model,
    find_model_folder,
)
from utils.ner.prediction.texts import Predict


@dataclass(frozen=True)
class SizeModel:
    """The model that labels one size."""

    model: TrainedModel
    labeller: TargetLabeller  # one object for all sizes with this model
    warning: str | None  # why the model may know sentences of larger sizes
    data_warning: str | None  # why the model may be that of another LLM


def find_size_models(
    layout: Layout,
    dataset: Dataset,
    folders: Mapping[Size, Path],
    load: Callable[[Path], Predict],
    *,
    refuse_leaks: bool,
    overwrite: bool = False,
) -> dict[Size, SizeModel]:
    """Return the model of each size from the models' folders; several sizes may share one.

    `load` returns the function that predicts with the model of a folder. A model that may know other sentences than
    those of its size causes a warning, or with `refuse_leaks` a ValueError. Raises ValueError if a size was labelled by
    another model before, unless its result may be overwritten.
    """
    tokenisation = dataset.tokenisation
    models = {
        size: find_model(find_model_folder(folders[size], layout, size, tokenisation=tokenisation)) for size in SIZES
    }
    if not overwrite:
        for size, model in models.items():
            check_same_model(layout, size, model)
    warnings = {}
    for size in SIZES:
        own = read_sentences(layout.size_sentences(size), tokenisation=dataset.tokenisation)
        own += read_synthetic(layout.size_sentences(size, synthetic=True), tokenisation=dataset.tokenisation)
        warnings[size] = check_leaks(models[size], own, size, refuse=refuse_leaks)
    distinct = {model.folder: model for model in models.values()}
    data_warnings = {folder: check_data(model, layout, tokenisation=tokenisation) for folder, model in distinct.items()}
    labellers = {
        folder: TargetLabeller(load(folder), common_targets(model, dataset.targets))
        for folder, model in distinct.items()
    }
    return {
        size: SizeModel(model, labellers[model.folder], warnings[size], data_warnings[model.folder])
        for size, model in models.items()
    }


def label_size(
    layout: Layout, size: Size, chosen: SizeModel, *, tokenisation: Tokenisation, drop_disagreeing: bool
) -> Review:
    """Label the synthetic sentences of a size; write and return them with the mentions to review.

    With `drop_disagreeing`, sentences in which an entity has another label than s2 asked for are dropped.
    """
    source = layout.size_sentences(size, synthetic=True)
    warn_if_stale(source, layout.find)
    hashes = hash_inputs(layout.portable_names([source, layout.labels, *chosen.model.files]))
    labelled = review(chosen.labeller.label(read_synthetic(source, tokenisation=tokenisation)), chosen.labeller.labels)
    kept = labelled.without_disagreeing() if drop_disagreeing else labelled
    parameters = {"size": size, "model_warning": chosen.warning, "drop_disagreeing": drop_disagreeing}
    if chosen.data_warning:
        parameters["model_data"] = chosen.data_warning
    manifest = build_manifest("s7", hashes, parameters, kept.counts)
    publish(layout.size_target(size), kept.rows, manifest)
    publish(layout.size_review(size), kept.mentions, manifest)
    return kept
