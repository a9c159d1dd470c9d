"""The files of a merge: which ones there are, and how they are read (s5, s6, s8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from utils.annotation.files import read_annotation_line
from utils.annotation.legacy.copies import without_legacy
from utils.dataset.layout import FULL, LabelKind, Layout, Size, require_files
from utils.dataset.modes import EXTENSION_MODES, Mode
from utils.dataset.reading import iterate_sentences, iterate_synthetic
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_lines
from utils.files.manifest import is_as_written
from utils.fusion.answer_measure import AnswerMeasure


@dataclass(frozen=True)
class MergeFiles:
    """The input and result files of one merge: the original or the synthetic sentences of one size."""

    sentences: Path
    annotations: Mapping[Mode, Path]  # those of s1 or s3 that exist
    fusion: Path
    label_files: tuple[Path, ...]
    unknown_labels: Path
    agreement: Path  # of the extension spans of the original sentences with their gold spans
    synthetic: bool
    is_full: bool = True  # all sentences, and not a part of them

    @property
    def inputs(self) -> tuple[Path, ...]:
        return self.sentences, *self.annotations.values()

    @property
    def results(self) -> tuple[Path, ...]:
        return self.fusion, *self.label_files

    def check(self, hash_of: Callable[[Path], str], *, tokenisation: Tokenisation) -> None:
        """Raise ValueError that names the line if an input cannot be read; what a step wrote is not read again."""
        if not is_as_written(self.sentences, hash_of):
            read = iterate_synthetic if self.synthetic else iterate_sentences
            for _ in read(self.sentences, tokenisation=tokenisation):
                pass
        for path in self.annotations.values():
            if not is_as_written(path, hash_of):
                for line in read_lines(path):
                    read_annotation_line(line, path)

    @contextmanager
    def without_legacy(self, *, tokenisation: Tokenisation) -> Iterator[MergeFiles]:
        """Yield the files, with temporary copies in the place of those of an earlier implementation."""
        files = self.sentences, self.annotations
        with without_legacy(files, synthetic=self.synthetic, tokenisation=tokenisation) as (sentences, annotations):
            yield replace(self, sentences=sentences, annotations=annotations)

    def measure_answers(self, *, tokenisation: Tokenisation) -> AnswerMeasure:
        """Return how much of the text the parts of speech cover, and how much several answers agree."""
        with self.without_legacy(tokenisation=tokenisation) as current:
            return AnswerMeasure.of(
                {
                    mode: (read_annotation_line(line, path) for line in read_lines(path))
                    for mode, path in current.annotations.items()
                }
            )


def find_merge_files(
    layout: Layout, size: Size, *, synthetic: bool, sentences: Path | None = None, at_least: int = 1
) -> MergeFiles:
    """Return the files of one merge; `sentences` replaces the file of s4.

    Raises FileNotFoundError if the sentences are missing, or if the answers of fewer than `at_least` modes are there.
    It names the step to run.
    """
    sentence_step, annotation_step = ("s2 and then s4", "s3") if synthetic else ("s4", "s1")
    source = sentences or layout.size_sentences(size, synthetic=synthetic)
    require_files({"sentences": source}, f"run {sentence_step}")
    annotations = {mode: layout.size_annotation_file(size, mode, synthetic=synthetic) for mode in EXTENSION_MODES}
    kind: Literal["fusion", "syn"] = "syn" if synthetic else "fusion"
    return MergeFiles(
        sentences=source,
        annotations=require_files(annotations, f"run {annotation_step} and then s4", at_least=at_least),
        fusion=layout.size_fusion(size, synthetic=synthetic),
        label_files=label_files(layout, kind, size),
        unknown_labels=layout.unknown_labels(kind, size),
        agreement=layout.gold_agreement(size),
        synthetic=synthetic,
        is_full=size == FULL,
    )


def label_files(layout: Layout, kind: LabelKind, size: Size) -> tuple[Path, ...]:
    """Return the label file of a size; for the 100 % size, also its copy in the folder above."""
    file = layout.label_file(kind, size)
    return (file, layout.label_file(kind)) if size == FULL else (file,)
