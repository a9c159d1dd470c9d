"""The paths of a dataset and of the results of every step."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Literal, TypeVar

from utils.dataset.modes import Mode
from utils.files.compressed import content_name, find_input
from utils.files.own_files import check_folders

log = logging.getLogger(__name__)
FileKey = TypeVar("FileKey")

ROOT = Path(__file__).resolve().parents[2]

Size = Literal["250", "500", "1000"]
LabelKind = Literal["fusion", "syn", "syn_fusion"]
TrainingData = Literal["base", "fusion", "syn_fusion"]
HeldOut = Literal["dev", "test"]

SIZES: dict[Size, int] = {"250": 25, "500": 50, "1000": 100}  # name -> percent of the sentences
FULL: Size = "1000"
MAX_NAME = 200  # bytes of a name in flags; the names of models are longer, and file systems allow 255

MODELS = ROOT / "models"  # downloaded by run_demo.sh
SAVE_MODEL = ROOT / "save_model"
FEW_SHOT = ROOT / "data" / "few_shot"
ENTITY_LABELS = ROOT / "data" / "fusion_knowledge" / "entity_label.json"
POS_LABELS = ROOT / "data" / "fusion_knowledge" / "pos_label.json"


@dataclass(frozen=True)
class Layout:
    """The files of one dataset, and of the results that were made from it with one LLM."""

    file_dir: Path
    file_name: str
    save_type_name: str = "GLM4"

    def __post_init__(self) -> None:
        for flag, name in (("--file_name", self.file_name), ("--save_type_name", self.save_type_name)):
            is_path = any(character in name for character in "/\\\0") or PureWindowsPath(name).drive
            if name.strip() in ("", ".", "..") or is_path:
                raise ValueError(f"{flag}: {name!r} must be the name of one folder, without '/' or '..'")
            if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
                raise ValueError(f"{flag}: {name[:40]!r}… is too long: use at most {MAX_NAME} bytes")
        folders = [self.results, self.ablation, self.pictures, *map(self.size_folder, SIZES)]
        check_folders(folders, inside=self.dataset, name="the dataset")

    @property
    def dataset(self) -> Path:
        return self.file_dir / self.file_name

    @property
    def train(self) -> Path:
        """The annotated sentences; train_1000.jsonl.gz or train_1000.jsonl.zst if train_1000.jsonl is missing."""
        return find_input(self.dataset / "train_1000.jsonl")

    @property
    def dev(self) -> Path:
        return find_input(self.dataset / "dev.jsonl")

    @property
    def test(self) -> Path:
        return find_input(self.dataset / "test.jsonl")

    @property
    def labels(self) -> Path:
        return self.dataset / "labels.txt"

    @property
    def results(self) -> Path:
        return self.dataset / self.save_type_name

    @property
    def run_log(self) -> Path:
        return self.results / "run.log.jsonl"

    @property
    def html_report(self) -> Path:
        """The page of report.py --html."""
        return self.results / "report.html"

    @property
    def pictures(self) -> Path:
        """The folder of the charts of report.py --pictures."""
        return self.results / "pictures"

    @property
    def ablation(self) -> Path:
        """The folder of ablate.py."""
        return self.results / "ablation"

    @property
    def ablation_table(self) -> Path:
        """The scores of ablate.py, one number a cell."""
        return self.ablation / "table.csv"

    def annotation_file(self, mode: Mode, *, synthetic: bool = False) -> Path:
        """Return the path of the items that s1, or s3 for synthetic sentences, found in all sentences."""
        return self.results / f"{mode}_train_1000{_synthetic(synthetic)}.jsonl"

    def held_out(self, split: HeldOut) -> Path:
        return self.dev if split == "dev" else self.test

    def held_out_annotation_file(self, split: HeldOut) -> Path:
        """Return the path of the target labels that s1 found in dev or test; they only measure the LLM."""
        return self.results / f"target_{split}.jsonl"

    def synthetic(self) -> Path:
        """Return the path of all synthetic sentences (s2)."""
        return self.results / "train_1000_synthetic.jsonl"

    def synthetic_dropped(self) -> Path:
        """Return the path of the parts of answers that s2 dropped, with the reasons."""
        return self.results / "train_1000_synthetic_dropped.jsonl"

    def size_folder(self, size: Size) -> Path:
        return self.results / size

    def size_sentences(self, size: Size, *, synthetic: bool = False) -> Path:
        """Return the path of the sentences of a size (s4)."""
        return self.size_folder(size) / f"train_{size}{_synthetic(synthetic)}.jsonl"

    def size_annotation_file(self, size: Size, mode: Mode, *, synthetic: bool = False) -> Path:
        """Return the path of the items of a size (s4)."""
        return self.size_folder(size) / f"{mode}_train_{size}{_synthetic(synthetic)}.jsonl"

    def size_fusion(self, size: Size, *, synthetic: bool = False) -> Path:
        """Return the path of the sentences of a size with extension spans (s5, s8)."""
        return self.size_folder(size) / f"train_{size}{_synthetic(synthetic)}_fusion.jsonl"

    def size_target(self, size: Size) -> Path:
        """Return the path of the synthetic sentences of a size with the target spans of a model (s7)."""
        return self.size_folder(size) / f"train_{size}_synthetic_target.jsonl"

    def size_review(self, size: Size) -> Path:
        """Return the path of the mentions with another label than s2 asked for (s7)."""
        return self.size_folder(size) / f"train_{size}_synthetic_review.jsonl"

    def label_file(self, kind: LabelKind, size: Size | None = None) -> Path:
        """Return the path of a label file of a size; without a size, of the copy of the full size's file."""
        return (self.results if size is None else self.size_folder(size)) / f"label_{kind}.json"

    def unknown_labels(self, kind: Literal["fusion", "syn"], size: Size) -> Path:
        """Return the path of the labels of items that are in no label file, with counts and examples."""
        return self.size_folder(size) / f"unknown_{kind}.json"

    def gold_agreement(self, size: Size) -> Path:
        """Return the path of the comparison of the LLM's extension spans with the gold spans (s5, s8)."""
        return self.size_folder(size) / "agreement_fusion.json"

    def training_files(self, size: Size, data: TrainingData) -> tuple[Path, Path]:
        """Return the sentences and the labels that a span model is trained on."""
        if data == "base":
            return self.size_sentences(size), self.labels
        return self.size_fusion(size, synthetic=data == "syn_fusion"), self.label_file(data, size)

    def model_folder(self, size: Size, data: TrainingData, *, parent: Path | None = None) -> Path:
        """Return the folder of a trained span model; the best checkpoint is in its subfolder `best`.

        Models belong to the LLM, except those that are trained on the original data (`base`).
        """
        name = self._model_name(size, data)
        return (parent or SAVE_MODEL) / name if data == "base" else (parent or SAVE_MODEL) / self.save_type_name / name

    def old_model_folder(self, size: Size, data: TrainingData, *, parent: Path | None = None) -> Path:
        """Return the folder of a trained span model in an older version: one for all LLMs."""
        return (parent or SAVE_MODEL) / self._model_name(size, data)

    def _model_name(self, size: Size, data: TrainingData) -> str:
        return f"{self.file_name}_{size}_{data}"

    def portable_names(self, files: Iterable[Path]) -> dict[str, Path]:
        """Return files by their names in manifests."""
        return {self.portable_name(file): file for file in files}

    def portable_name(self, path: Path) -> str:
        """Return the name of a file in manifests: the same on every machine and in every copy of the data.

        A compressed file has the name of its content.
        """
        path = path.resolve()
        path = path.with_name(content_name(path.name))
        for folder in (self.dataset.resolve(), ROOT):
            if path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return "/".join(path.parts[-2:])

    def find(self, name: str) -> Path:
        """Return the path of a file by its name in manifests; the file may be missing."""
        found = find_input(self.dataset / name)
        return found if found.exists() else ROOT / name


def require_folder(dataset: Path) -> None:
    """Raise FileNotFoundError if the folder of a dataset is missing."""
    if not dataset.is_dir():
        raise FileNotFoundError(f"{dataset} is missing: --file_dir and --file_name must name the folder of a dataset")


def require_results(layout: Layout) -> None:
    """Raise FileNotFoundError if the dataset has results, but none of this name: the name may be mistyped."""
    others = sorted(
        folder.name
        for folder in layout.dataset.iterdir()
        if folder.is_dir() and any(path.suffix == ".jsonl" or path.name in SIZES for path in folder.iterdir())
    )
    if others and not layout.results.is_dir():
        raise FileNotFoundError(
            f"{layout.results} is missing: --save_type_name must name the folder of results, such as "
            f"{', '.join(others)}; or run s1 to begin"
        )


def require_files(files: Mapping[FileKey, Path], remedy: str, *, at_least: int = 1) -> dict[FileKey, Path]:
    """Return the files that exist; log each missing file with the `remedy` that makes it.

    Raises FileNotFoundError if fewer than `at_least` exist.
    """
    found = {key: file for key, file in files.items() if file.is_file()}
    for key, file in files.items():
        if key not in found:
            if len(found) < at_least:
                raise FileNotFoundError(f"{file} is missing: {remedy} first")
            log.info("%s is missing (to create it, %s): continuing without it", file, remedy)
    return found


def _synthetic(synthetic: bool) -> str:
    return "_synthetic" if synthetic else ""
