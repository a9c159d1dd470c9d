"""The split into sizes: which files are split, and what is written for each size (s4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.annotation.files import read_annotation_rows
from utils.dataset.layout import Layout, Size, require_files
from utils.dataset.modes import EXTENSION_MODES, Mode
from utils.dataset.reading import Dataset, read_synthetic
from utils.dataset.records import sentence_to_row
from utils.dataset.splits import Share
from utils.files.jsonl import JsonObject
from utils.files.manifest import build_manifest, publish


@dataclass(frozen=True)
class SplitFiles:
    """The files that s4 splits."""

    train: Path
    annotations: Mapping[Mode, Path]  # those of s1 that exist
    synthetic: Path | None  # of s2
    synthetic_annotations: Mapping[Mode, Path]  # those of s3 that exist

    @property
    def results(self) -> list[Path]:
        """Return the files that were made by earlier steps."""
        synthetic = [self.synthetic] if self.synthetic else []
        return [*self.annotations.values(), *synthetic, *self.synthetic_annotations.values()]

    def read(self, dataset: Dataset) -> Share:
        """Return the content of all files."""
        sentences = dataset.sentences
        synthetic = (
            read_synthetic(self.synthetic, tokenisation=dataset.tokenisation, sources=dataset.sentences)
            if self.synthetic
            else []
        )
        return Share(
            sentences,
            synthetic,
            {m: [row for _, row in read_annotation_rows(file, m, sentences)] for m, file in self.annotations.items()},
            {
                m: [row for _, row in read_annotation_rows(file, m, synthetic)]
                for m, file in self.synthetic_annotations.items()
            },
        )


def find_split_files(layout: Layout) -> SplitFiles:
    """Return the files to split; raise FileNotFoundError if s1 has not written any.

    The files of target labels are optional: nothing is logged if they are missing.
    """
    modes = EXTENSION_MODES
    targets = _target_file(layout, synthetic=False)
    at_least = 0 if targets else 1
    annotations = require_files({mode: layout.annotation_file(mode) for mode in modes}, "run s1", at_least=at_least)
    synthetic = require_files({"s2": layout.synthetic()}, "run s2", at_least=0).get("s2")
    if synthetic is None:
        return SplitFiles(layout.train, {**annotations, **targets}, None, {})
    files = {mode: layout.annotation_file(mode, synthetic=True) for mode in modes}
    synthetic_annotations = require_files(files, "run s3", at_least=0)
    synthetic_targets = _target_file(layout, synthetic=True)
    return SplitFiles(
        layout.train, {**annotations, **targets}, synthetic, {**synthetic_annotations, **synthetic_targets}
    )


def _target_file(layout: Layout, *, synthetic: bool) -> dict[Mode, Path]:
    """Return the file of target labels, if there is one."""
    file = layout.annotation_file("target", synthetic=synthetic)
    return {"target": file} if file.is_file() else {}


def publish_size(
    layout: Layout, size: Size, share: Share, files: SplitFiles, hashes: Mapping[str, str], *, dense: bool
) -> None:
    """Write the files of one size; the manifest of each lists the files that it was taken from, with their hashes."""

    def write(result: Path, rows: list[JsonObject], *sources: Path) -> None:
        inputs = {name: hashes[name] for name in layout.portable_names([files.train, *sources])}
        publish(result, rows, build_manifest("s4", inputs, {"size": size, "dense": dense}, {"lines": len(rows)}))

    write(layout.size_sentences(size), [sentence_to_row(sentence) for sentence in share.sentences])
    for mode, rows in share.annotations.items():
        write(layout.size_annotation_file(size, mode), rows, files.annotations[mode])
    if files.synthetic is None:
        return
    synthetic_rows = [sentence_to_row(sentence) for sentence in share.synthetic]
    write(layout.size_sentences(size, synthetic=True), synthetic_rows, files.synthetic)
    for mode, rows in share.synthetic_annotations.items():
        result = layout.size_annotation_file(size, mode, synthetic=True)
        write(result, rows, files.synthetic, files.synthetic_annotations[mode])
