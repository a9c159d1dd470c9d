"""The training data of a variant: the steps s4, s5, s7 and s8 for one size, in a folder of their own.

The folder contains a dataset like the user's, with links to its files and to the results of s1, s2 and s3, so that the
steps run as they do elsewhere. The user's dataset is only read.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from utils.ablation.dataset_steps import DatasetSteps
from utils.ablation.jobs import LOG_FILE, logged_to
from utils.ablation.variants import BUILT_IN, DataRecipe, Variant
from utils.dataset.layout import Layout, Size
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.reading import read_sentences
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_json, write_json
from utils.files.manifest import fingerprint, hash_inputs, is_portable, manifest_path
from utils.files.own_files import check_folders_above, remove_other_kind
from utils.fusion.corrections import Patch
from utils.fusion.settings import MergeSettings

log = logging.getLogger(__name__)

FORMAT = 2  # increase it when a step makes other data from the same inputs: training sets are then made again
RESULT, PARTIAL = "training_set.json", ".partial"
COUNTS = ("sentences", "synthetic", "target_spans", "extension_spans")  # of a TrainingSet


@dataclass(frozen=True)
class TrainingSet:
    """The files that a span model is trained on, and the numbers of sentences and spans in them."""

    fingerprint: str
    train: Path
    labels: Path
    sentences: int  # of the dataset
    synthetic: int
    target_spans: int
    extension_spans: int
    answers: tuple[str, ...]  # files of s1, s2 and s3 that it was made from


@dataclass(frozen=True)
class Teacher:
    """A trained model that labels synthetic sentences."""

    folder: Path
    fingerprint: str


@dataclass(frozen=True)
class TrainingSetBuilder:
    """Makes the training sets of one dataset below the folder `root`."""

    root: Path
    source: Layout
    tokenisation: Tokenisation
    patch: Patch | None = None  # corrections of a person, for all variants except base

    def build(
        self, recipe: DataRecipe, size: Size, teachers: Sequence[Teacher] = (), *, gpus: tuple[int, ...] = ()
    ) -> TrainingSet:
        """Return the training set of a recipe; if it has been made from the same inputs before, that one."""
        inputs = self._inputs(recipe)
        key = fingerprint(FORMAT, _parameters(recipe), size, hash_inputs(inputs), [one.fingerprint for one in teachers])
        folder = self.root / f"{size}-{key[:12]}"
        check_folders_above(folder, inside=self.root.parent)
        if not (folder / RESULT).is_file():
            partial_folder = self.root / f".{folder.name}.{os.getpid()}{PARTIAL}"
            layout = self._linked(partial_folder, inputs)
            with logged_to(partial_folder / LOG_FILE):
                steps = DatasetSteps(layout, size, recipe, gpus, self.patch)
                files = steps.run(self.tokenisation, [teacher.folder for teacher in teachers])
            answers = sorted(self._answer_files(recipe))
            write_json(partial_folder / RESULT, _row(key, partial_folder, files, self.tokenisation, answers))
            shutil.rmtree(folder, ignore_errors=True)
            partial_folder.rename(folder)
        return _read(folder, key)

    def remove_partial(self) -> None:
        """Remove what interrupted runs have left."""
        check_folders_above(self.root, inside=self.root.parent)
        for folder in self.root.glob(f".*{PARTIAL}"):
            if not remove_other_kind(folder):
                shutil.rmtree(folder)

    def with_inputs(self, variants: Iterable[Variant], *, required: Collection[str]) -> list[Variant]:
        """Return the variants, without built-in ones that lack an input, unless they are `required` by name."""
        found = []
        for variant in variants:
            lacks = self._missing(variant.recipe) if variant.name in BUILT_IN and variant.name not in required else None
            if lacks:
                log.info("%s is left out: %s", variant.name, lacks)
            else:
                found.append(variant)
        return found

    def require_inputs(self, variants: Iterable[Variant]) -> None:
        """Raise FileNotFoundError if a variant lacks an input."""
        for variant in variants:
            if lacks := self._missing(variant.recipe):
                raise FileNotFoundError(f"variant {variant.name!r}: {lacks}")

    def _missing(self, recipe: DataRecipe) -> str | None:
        """Return what a recipe needs and does not have, or None."""
        layout = self._answers(recipe)
        found = self._answer_files(recipe)
        if recipe.has_synthetic and layout.synthetic().name not in found:
            return f"{layout.synthetic()} is missing: run s2 first"
        sides = {"base": (), "fusion": (False,), "synthetic": (True,), "syn_fusion": (False, True)}[recipe.data]
        modes = [mode for mode in recipe.modes if mode in EXTENSION_MODES]
        if recipe.sentences == "raw":  # s3 need not have asked about raw text
            sides = tuple(side for side in sides if not side)
        for synthetic in sides if modes else ():
            files = [layout.annotation_file(mode, synthetic=synthetic) for mode in modes]
            if not any(file.name in found for file in files):
                return f"{files[0]} is missing: run {'s3' if synthetic else 's1'} first"
        targets = layout.annotation_file("target", synthetic=True)
        if recipe.has_synthetic and "target" in recipe.modes and targets.name not in found:
            return f"{targets} is missing: run s3 with --mode=target first"
        return None

    def _answers(self, recipe: DataRecipe) -> Layout:
        """Return the layout with the results of s1, s2 and s3."""
        return replace(self.source, save_type_name=recipe.answers or self.source.save_type_name)

    def _answer_files(self, recipe: DataRecipe) -> dict[str, Path]:
        """Return the results of s1, s2 and s3 that a recipe uses and that exist, by their names."""
        layout = self._answers(recipe)
        if recipe.data == "base":
            return {}
        files = [layout.annotation_file(mode) for mode in recipe.modes if mode in EXTENSION_MODES]
        if recipe.has_synthetic:
            files += [layout.synthetic(), *(layout.annotation_file(mode, synthetic=True) for mode in recipe.modes)]
        return {file.name: file for file in files if file.is_file()}

    def _inputs(self, recipe: DataRecipe) -> dict[str, Path]:
        """Return all files that the training set depends on, by their names."""
        layout = self.source
        own = {"train": layout.train, "labels": layout.labels}
        if recipe.data == "base":
            return own
        settings = (recipe.original, recipe.synthetic)
        files = [file for one in settings for file in (one.entity_label, one.pos_label)]
        canonical = {f"label file {number}": file for number, file in enumerate(files)}
        corrections = {"--patch": self.patch.path} if self.patch else {}
        return {**own, **canonical, **corrections, **self._answer_files(recipe)}

    def _linked(self, folder: Path, inputs: dict[str, Path]) -> Layout:
        """Return the layout of a new dataset in `folder` with links to the input files."""
        layout = Layout(folder, self.source.file_name, self.source.save_type_name)
        _link(inputs["train"], layout.dataset / inputs["train"].name)
        _link(inputs["labels"], layout.labels)
        for name, file in inputs.items():
            if name == file.name:  # a result of s1, s2 or s3
                _link(file, layout.results / name)
                if manifest_path(file).is_file():
                    _link(manifest_path(file), manifest_path(layout.results / name))
        return layout


def _parameters(recipe: DataRecipe) -> dict[str, Any]:
    """Return the settings of a recipe that its training set depends on, without paths: the files are hashed."""
    if recipe.data == "base":
        return {"data": "base"}
    row: dict[str, Any] = {"data": recipe.data, "modes": list(recipe.modes), "original": _settings(recipe.original)}
    if recipe.has_synthetic:
        row |= {"sentences": recipe.sentences, "drop_disagreeing": recipe.drop_disagreeing}
        row |= {"synthetic": _settings(recipe.synthetic)}
    return row


def _settings(merge: MergeSettings) -> dict[str, Any]:
    return {name: value for name, value in asdict(merge).items() if not isinstance(value, Path)}


def _row(
    key: str, folder: Path, files: tuple[Path, Path], tokenisation: Tokenisation, answers: Sequence[str]
) -> dict[str, Any]:
    """Return the JSON object of a training set; its paths are relative to its folder."""
    train, labels = files
    sentences = read_sentences(train, tokenisation=tokenisation)
    spans = [span for sentence in sentences for span in sentence.spans]
    extensions = sum(span.origin in EXTENSION_MODES for span in spans)
    synthetic = sum(sentence.is_synthetic for sentence in sentences)
    return {
        "fingerprint": key,
        "train": train.relative_to(folder).as_posix(),
        "labels": labels.relative_to(folder).as_posix(),
        "sentences": len(sentences) - synthetic,
        "synthetic": synthetic,
        "target_spans": len(spans) - extensions,
        "extension_spans": extensions,
        "answers": list(answers),
    }


def _read(folder: Path, key: str) -> TrainingSet:
    """Return the training set in a folder; raise ValueError if its files are elsewhere, or it is another one."""
    row = read_json(folder / RESULT)
    if not _is_row(row) or row["fingerprint"] != key:
        raise ValueError(f"{folder / RESULT} is not what ablate.py wrote there: delete the folder {folder}")
    paths = {name: folder / row[name] for name in ("train", "labels")}
    return TrainingSet(**{**row, **paths, "answers": tuple(row["answers"])})


def _is_row(row: Any) -> bool:
    """Return whether the value of a JSON file has the keys of a training set, and files inside its folder."""
    if not isinstance(row, dict) or row.keys() != {one.name for one in fields(TrainingSet)}:
        return False
    counts = (row[name] for name in COUNTS)
    return (
        all(isinstance(row[name], str) and is_portable(row[name]) for name in ("fingerprint", "train", "labels"))
        and all(type(count) is int and count >= 0 for count in counts)
        and isinstance(row["answers"], list)
        and all(isinstance(name, str) for name in row["answers"])
    )


def _link(source: Path, link: Path) -> None:
    """Make a hard link, or a copy where the file system has no links. Steps replace files and never change them."""
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), link)
    except OSError:
        shutil.copyfile(source, link)
