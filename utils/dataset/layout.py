"""Every path of the project: where a dataset lies, and where each step puts what it makes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Literal, TypeVar

from utils.dataset.modes import Mode

log = logging.getLogger(__name__)
FileKey = TypeVar("FileKey")

ROOT = Path(__file__).resolve().parents[2]

Size = Literal["250", "500", "1000"]
LabelKind = Literal["fusion", "syn", "syn_fusion"]
TrainingData = Literal["base", "fusion", "syn_fusion"]

SIZES: dict[Size, int] = {"250": 25, "500": 50, "1000": 100}  # name -> percent of the sentences
WHOLE: Size = "1000"

MODELS = ROOT / "models"  # where run_demo.sh puts the models that it brings
SAVE_MODEL = ROOT / "save_model"
FEW_SHOT = ROOT / "data" / "few_shot"
ENTITY_LABELS = ROOT / "data" / "fusion_knowledge" / "entity_label.json"
POS_LABELS = ROOT / "data" / "fusion_knowledge" / "pos_label.json"


@dataclass(frozen=True)
class Layout:
    """The files of one dataset, and of what was made from it with one LLM."""

    file_dir: Path
    file_name: str
    save_type_name: str = "GLM4"

    def __post_init__(self) -> None:
        for flag, name in (("--file_name", self.file_name), ("--save_type_name", self.save_type_name)):
            parted = any(character in name for character in "/\\\0") or PureWindowsPath(name).drive
            if name.strip() in ("", ".", "..") or parted:
                raise ValueError(f"{flag}: {name!r} must be the name of one folder, without '/' or '..'")
        for folder in (self.results, *(self.size_folder(size) for size in SIZES)):
            # A name, or a link in a dataset that was brought from elsewhere, must not lead a step out of the dataset.
            if folder.is_symlink() and not folder.resolve().is_relative_to(self.dataset.resolve()):
                raise ValueError(f"{folder} is a link out of the dataset's folder: make a real folder of it")

    @property
    def dataset(self) -> Path:
        return self.file_dir / self.file_name

    @property
    def train(self) -> Path:
        return self.dataset / "train_1000.jsonl"

    @property
    def dev(self) -> Path:
        return self.dataset / "dev.jsonl"

    @property
    def test(self) -> Path:
        return self.dataset / "test.jsonl"

    @property
    def labels(self) -> Path:
        return self.dataset / "labels.txt"

    @property
    def results(self) -> Path:
        return self.dataset / self.save_type_name

    @property
    def run_log(self) -> Path:
        return self.results / "run.log.jsonl"

    def annotation_file(self, mode: Mode, *, synthetic: bool = False) -> Path:
        """Return the items that s1 (or s3, of synthetic sentences) found in all sentences."""
        return self.results / f"{mode}_train_1000{_synthetic(synthetic)}.jsonl"

    def synthetic(self) -> Path:
        """Return all synthetic sentences, as s2 made them."""
        return self.results / "train_1000_synthetic.jsonl"

    def synthetic_dropped(self) -> Path:
        """Return what s2 did not take of the LLM's answers, with reasons."""
        return self.results / "train_1000_synthetic_dropped.jsonl"

    def size_folder(self, size: Size) -> Path:
        return self.results / size

    def size_sentences(self, size: Size, *, synthetic: bool = False) -> Path:
        """Return the sentences of a size (s4)."""
        return self.size_folder(size) / f"train_{size}{_synthetic(synthetic)}.jsonl"

    def size_annotation_file(self, size: Size, mode: Mode, *, synthetic: bool = False) -> Path:
        """Return the items of the sentences of a size (s4)."""
        return self.size_folder(size) / f"{mode}_train_{size}{_synthetic(synthetic)}.jsonl"

    def size_fusion(self, size: Size, *, synthetic: bool = False) -> Path:
        """Return the sentences of a size with the extension labels merged in (s5, s8)."""
        return self.size_folder(size) / f"train_{size}{_synthetic(synthetic)}_fusion.jsonl"

    def size_target(self, size: Size) -> Path:
        """Return the synthetic sentences of a size with the target labels that a model marked (s7)."""
        return self.size_folder(size) / f"train_{size}_synthetic_target.jsonl"

    def size_review(self, size: Size) -> Path:
        """Return where s7's target labels are not those that s2 asked for."""
        return self.size_folder(size) / f"train_{size}_synthetic_review.jsonl"

    def label_file(self, kind: LabelKind, size: Size | None = None) -> Path:
        """Return a label file of a size; without one, the copy at the top, which is the 100 % size's."""
        return (self.results if size is None else self.size_folder(size)) / f"label_{kind}.json"

    def unknown_labels(self, kind: Literal["fusion", "syn"], size: Size) -> Path:
        """Return the labels of LLM answers that no label file knows, with counts and examples."""
        return self.size_folder(size) / f"unknown_{kind}.json"

    def portable_names(self, files: Iterable[Path]) -> dict[str, Path]:
        """Return files by the names that manifests know them by."""
        return {self.portable_name(file): file for file in files}

    def portable_name(self, path: Path) -> str:
        """Return how manifests name a file: the same on every machine and in every copy of the data."""
        path = path.resolve()
        for folder in (self.dataset.resolve(), ROOT):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return "/".join(path.parts[-2:])

    def find(self, name: str) -> Path:
        """Return the file that a manifest knows by `name`; it may not exist."""
        return self.dataset / name if (self.dataset / name).exists() else ROOT / name


def require_files(files: Mapping[FileKey, Path], remedy: str, *, at_least: int = 1) -> dict[FileKey, Path]:
    """Return those of `files` that are there, and say in one line each which are not, and what makes them.

    Raises FileNotFoundError where fewer than `at_least` are there.
    """
    there = {key: file for key, file in files.items() if file.is_file()}
    for key, file in files.items():
        if key not in there:
            if len(there) < at_least:
                raise FileNotFoundError(f"{file} is missing: {remedy} first")
            log.info("%s is not there (%s): going on without it", file, remedy)
    return there


def model_folder(file_name: str, size: Size, data: TrainingData, *, parent: Path | None = None) -> Path:
    """Return the folder of a trained span model; its best checkpoint stands in `best` inside."""
    return (parent or SAVE_MODEL) / f"{file_name}_{size}_{data}"


def _synthetic(synthetic: bool) -> str:
    return "_synthetic" if synthetic else ""
