"""The files of a merge: read what one side of one size needs, merge it, and publish the results (s5, s6, s8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from utils.annotation.files import read_annotations
from utils.dataset.label_table import LabelTable, read_label_table
from utils.dataset.layout import WHOLE, LabelKind, Layout, Size, needed
from utils.dataset.modes import MODES, Mode
from utils.dataset.reading import read_sentences, read_synthetic
from utils.dataset.records import Sentence
from utils.files.jsonl import read_rows, write_json, write_rows
from utils.files.manifest import Manifest, check_owner, hash_inputs, made_by, tell_of_stale, write_manifest
from utils.fusion.merge import FusionCounts, Naming, combine_tables, merged_rows
from utils.parsing import Item


@dataclass(frozen=True)
class Side:
    """The original or the synthetic sentences of one size: what is read, and where the results go."""

    sentences: Path
    answers: Mapping[Mode, Path]  # those of s1 or s3 that are there
    fusion: Path
    label_files: tuple[Path, ...]  # the size's, and for the whole the copy at the top
    unknown: Path
    synthetic: bool

    @property
    def inputs(self) -> tuple[Path, ...]:
        return self.sentences, *self.answers.values()

    @property
    def results(self) -> tuple[Path, ...]:
        return self.fusion, *self.label_files


def find_side(layout: Layout, size: Size, *, synthetic: bool, sentences: Path | None = None) -> Side:
    """Return one side of one size; `sentences` are those that s4 made, if nothing else is given.

    Raises FileNotFoundError that names the step which makes what is missing: the sentences, or all of the answers.
    """
    maker, labeller = ("s2 and then s4", "s3") if synthetic else ("s4", "s1")
    source = sentences or layout.size_sentences(size, synthetic=synthetic)
    needed({"sentences": source}, f"run {maker}")
    answers = {mode: layout.size_answers(size, mode, synthetic=synthetic) for mode in MODES}
    kind: Literal["fusion", "syn"] = "syn" if synthetic else "fusion"
    return Side(
        sentences=source,
        answers=needed(answers, f"run {labeller} and then s4"),
        fusion=layout.size_fusion(size, synthetic=synthetic),
        label_files=_with_copy(layout, kind, size),
        unknown=layout.unknown_labels(kind, size),
        synthetic=synthetic,
    )


@dataclass(frozen=True)
class Merger:
    """Merges sides with one set of settings, and publishes the results as those of one step."""

    step: str
    layout: Layout
    naming: Naming
    label_knowledge: tuple[Path, Path]  # the files that `naming` was read from
    dense: bool
    drop_crossing: bool = False  # leave out extension spans that overlap a target span in part

    def check(self, side: Side, *, overwrite: bool = False) -> None:
        """Raise ValueError where a result is another step's, or an input cannot be read; warn of stale inputs."""
        for result in side.results:
            check_owner(result, step=self.step, overwrite=overwrite)
        for file in side.inputs:
            tell_of_stale(file, self.layout.find)
        self._read(side)

    def publish(self, side: Side, *, behind: Path | None = None) -> FusionCounts:
        """Merge a side and write its lines, its label files and its unknown labels; return what became of the items.

        The lines of the file `behind` are put behind the side's own.
        """
        inputs = hash_inputs(self.layout.named([*side.inputs, self.layout.labels, *self.label_knowledge]))
        added = hash_inputs(self.layout.named([behind])) if behind else {}
        sentences, items = self._read(side)
        counts = FusionCounts(crossing_dropped=self.drop_crossing)
        rows = merged_rows(sentences, items, self.naming, counts, dense=self.dense)
        write_rows(side.fusion, chain(rows, _rows(behind)))
        write_manifest(side.fusion, self._manifest({**inputs, **added}, counts.as_row()))
        table = LabelTable.from_counts(self.naming.targets, counts.spans)
        for path in side.label_files:
            write_json(path, table.to_json())
            write_manifest(path, self._manifest(inputs, table.extension_counts))
        write_json(side.unknown, counts.unknown_by_count())
        return counts

    def _read(self, side: Side) -> tuple[list[Sentence], dict[str, dict[Mode, Sequence[Item]]]]:
        """Return the sentences of a side, and what was marked in each."""
        sentences = (read_synthetic if side.synthetic else read_sentences)(side.sentences, dense=self.dense)
        return sentences, _items(side.answers, sentences)

    def _manifest(self, inputs: Mapping[str, str], counts: Mapping[str, Any]) -> Manifest:
        parameters = {"label_prefix": self.naming.prefix, "dense": self.dense}
        if self.drop_crossing:
            parameters["drop_crossing"] = True
        return made_by(self.step, inputs, parameters, counts)


def combine_labels(step: str, layout: Layout, size: Size, targets: Sequence[str]) -> str:
    """Write the union of a size's label files as a result of `step`; return a line that says what it holds.

    Raises FileNotFoundError where s5 has not made `label_fusion.json`.
    """
    fusion = needed({"fusion": layout.label_file("fusion", size)}, "run s5 --is_syn=0")
    synthetic = needed({"syn": layout.label_file("syn", size)}, "run s5 --is_syn=1", at_least=0)
    files = [*fusion.values(), *synthetic.values()]
    for file in files:
        tell_of_stale(file, layout.find)
    hashes = hash_inputs(layout.named([layout.labels, *files]))
    table = combine_tables([read_label_table(file) for file in files], targets)
    counts = table.extension_counts
    manifest = made_by(step, hashes, {}, counts)
    for path in _with_copy(layout, "syn_fusion", size):
        write_json(path, table.to_json())
        write_manifest(path, manifest)
    spans = f"{len(counts)} extension labels of {sum(counts.values())} spans"
    return f"combined {len(files)} label files of size {size}: {len(targets)} targets, {spans}"


def _with_copy(layout: Layout, kind: LabelKind, size: Size) -> tuple[Path, ...]:
    """Return the label file of a size and, for the whole, the copy of it at the top."""
    own = layout.label_file(kind, size)
    return (own, layout.label_file(kind)) if size == WHOLE else (own,)


def _rows(path: Path | None) -> Iterable[dict[str, Any]]:
    return (row for _, row in read_rows(path)) if path else ()


def _items(files: Mapping[Mode, Path], sentences: Sequence[Sentence]) -> dict[str, dict[Mode, Sequence[Item]]]:
    """Return what was marked, by sentence and mode; an answer to another text than the sentence's is left out."""
    texts = {sentence.id: sentence.tokens for sentence in sentences}
    found: dict[str, dict[Mode, Sequence[Item]]] = defaultdict(dict)
    for mode, path in files.items():
        for row in read_annotations(path, mode, sentences):
            if row.id is not None and row.status == "ok" and texts.get(row.id) == row.text:
                found[row.id][mode] = row.items
    return found
