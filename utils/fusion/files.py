"""The files of a merge: which ones there are, and how they are read (s5, s6, s8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from utils.annotation.files import read_annotations
from utils.dataset.layout import FULL, LabelKind, Layout, Size, require_files
from utils.dataset.modes import EXTENSION_MODES, Mode
from utils.dataset.reading import read_sentences, read_synthetic
from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation
from utils.fusion.answer_measure import AnswerMeasure
from utils.parsing import Item


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

    def read_sentences(self, *, tokenisation: Tokenisation) -> list[Sentence]:
        """Return the sentences to merge into."""
        return (read_synthetic if self.synthetic else read_sentences)(self.sentences, tokenisation=tokenisation)

    def read_items(self, sentences: Sequence[Sentence]) -> dict[str, dict[Mode, Sequence[Item]]]:
        """Return the items in the answers, by sentence id and mode; answers to another text are skipped."""
        texts = {sentence.id: sentence.tokens for sentence in sentences}
        items: dict[str, dict[Mode, Sequence[Item]]] = defaultdict(dict)
        for mode, path in self.annotations.items():
            for row in read_annotations(path, mode, sentences):
                if row.id is not None and row.status == "ok" and texts.get(row.id) == row.text:
                    items[row.id][mode] = row.items
        return items

    def measure_answers(self, sentences: Sequence[Sentence]) -> AnswerMeasure:
        """Return how much of the text the parts of speech cover, and how much several answers agree."""
        return AnswerMeasure.of(
            {mode: read_annotations(path, mode, sentences) for mode, path in self.annotations.items()}
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
