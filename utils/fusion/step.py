"""The work of s5, s6 and s8: merge sentences with extension labels, combine label files, and publish the results."""

from __future__ import annotations

import logging
import math
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from utils.compute.engine import LOCAL, Engine
from utils.compute.progress import tracked
from utils.dataset.label_table import LabelTable, read_label_table
from utils.dataset.layout import Layout, Size, require_files
from utils.dataset.modes import Mode
from utils.dataset.reading import Dataset, DatasetInfo
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import count_lines, encode_json, read_json, read_rows, replace_file, write_json
from utils.files.manifest import (
    ChangeFinder,
    Manifest,
    build_manifest,
    check_owner,
    hash_file,
    hash_inputs,
    is_as_written,
    read_manifest,
    warn_if_stale,
    write_manifest,
)
from utils.fusion.blocks import BLOCK, BlockMerger, MergedBlock, read_blocks
from utils.fusion.corrections import Patch
from utils.fusion.counts import FusionCounts
from utils.fusion.extension_labels import LabelMapping
from utils.fusion.files import MergeFiles, label_files
from utils.fusion.gold_agreement import labels_below
from utils.fusion.patch import PatchCounts, missing_sentences
from utils.fusion.settings import MergeSettings
from utils.labels.normaliser import LabelNormaliser
from utils.wording import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FusionStep:
    """Merges files with the same settings, and publishes the results of one step."""

    name: str  # s5 or s8
    layout: Layout
    settings: MergeSettings
    mapping: LabelMapping  # read from the label files of the settings
    tokenisation: Tokenisation
    patch: Patch | None = None  # corrections of a person
    engine: Engine = LOCAL  # merges the blocks of sentences

    @classmethod
    def for_dataset(
        cls,
        name: str,
        layout: Layout,
        dataset: Dataset | DatasetInfo,
        settings: MergeSettings,
        *,
        patch: Patch | None = None,
        engine: Engine = LOCAL,
    ) -> FusionStep:
        """Return the step for a dataset; the labels of a mode are looked up in its own label file first."""
        entity, pos = settings.entity_label, settings.pos_label
        normalisers: dict[Mode, LabelNormaliser] = {
            "entity": LabelNormaliser.from_files([entity, pos]),
            "pos": LabelNormaliser.from_files([pos, entity]),
        }
        mapping = LabelMapping(dataset.targets, normalisers, settings.label_prefix)
        return cls(name, layout, settings, mapping, dataset.tokenisation, patch, engine)

    @cached_property
    def _changes(self) -> ChangeFinder:
        """The changes of the inputs, found before the first result is written."""
        return ChangeFinder(self.layout.find)

    def check(self, files: MergeFiles, *, overwrite: bool = False) -> None:
        """Raise ValueError if another step made a result, or an input cannot be read; warn about stale inputs."""
        if files.is_full:
            self._warn_about_lost_patch(files.fusion)
        for result in files.results:
            check_owner(result, step=self.name, overwrite=overwrite)
        for file in files.inputs:
            warn_if_stale(file, self.layout.find, self._changes)
        with files.without_legacy(tokenisation=self.tokenisation) as current:
            current.check(self._changes.hash, tokenisation=self.tokenisation)

    def publish(self, files: MergeFiles, *, appended: Path | None = None) -> FusionCounts:
        """Write the merged sentences, the label files and the unknown labels; return the counts of the merge.

        The lines of the file `appended` are added after the merged ones.
        """
        mapping = self._mapping_for(files)
        read = [*files.inputs, self.layout.labels, self.settings.entity_label, self.settings.pos_label]
        if self.settings.min_agreement is not None and files.synthetic:
            read.append(files.agreement)
        inputs = hash_inputs(
            self.layout.portable_names(read),
            lambda file: self._changes.hash(file) if file in files.inputs else hash_file(file),
        )
        if self.patch is not None:
            inputs[self.layout.portable_name(self.patch.path)] = self.patch.digest
        appended_inputs = hash_inputs(self.layout.portable_names([appended])) if appended else {}
        counts = self._write_sentences(files, mapping, appended)
        write_manifest(files.fusion, self._manifest({**inputs, **appended_inputs}, counts.as_row()))
        table = LabelTable.from_counts(self.mapping.targets, counts.spans)
        for path in files.label_files:
            write_json(path, table.to_json())
            write_manifest(path, self._manifest(inputs, table.extension_counts))
        write_json(files.unknown_labels, counts.unknown_to_json())
        if not files.synthetic:
            counts.answers = files.measure_answers(tokenisation=self.tokenisation)
            write_json(files.agreement, {**counts.agreement.to_json(), "answers": counts.answers.to_json()})
        for name in sorted(counts.renamed):
            log.warning("an extension label has the same name as a target label: it is renamed to %s", name)
        return counts

    def _mapping_for(self, files: MergeFiles) -> LabelMapping:
        """Return the mapping of labels, without those that agree too little with the gold spans of the size.

        The agreement is measured for the original sentences, and read from its file for the synthetic ones.
        """
        if self.settings.min_agreement is None:
            return self.mapping
        if files.synthetic:
            require_files({"agreement": files.agreement}, "run s5 --is_syn=0")
            rows = read_json(files.agreement)
        else:
            counts = FusionCounts()
            for block in self._merge(files, self.mapping):
                counts.add_counts(block.counts)
            rows = counts.agreement.to_json()
        return replace(self.mapping, left_out=labels_below(self.settings.min_agreement, rows))

    def _merge(self, files: MergeFiles, mapping: LabelMapping) -> Iterator[MergedBlock]:
        """Yield the sentences with their extension spans, in blocks."""
        with files.without_legacy(tokenisation=self.tokenisation) as current:
            merger = BlockMerger(current, mapping, self.tokenisation, self.settings.drop_crossing, self.patch)
            manifest = read_manifest(files.sentences)
            is_whole = manifest is not None and not manifest.counts.get("dropped")  # s7 drops sentences, not answers
            are_as_written = is_whole and all(is_as_written(file, self._changes.hash) for file in files.inputs)
            blocks = read_blocks(current, are_as_written=are_as_written)
            merged = self.engine.map(merger, blocks)
            total = math.ceil(count_lines(current.sentences) / BLOCK)
            yield from tracked(merged, f"{self.name} {files.fusion.stem}", total=total, unit="block")

    def _write_sentences(self, files: MergeFiles, mapping: LabelMapping, appended: Path | None) -> FusionCounts:
        counts = FusionCounts(drops_crossing=self.settings.drop_crossing)
        if self.patch is not None:
            counts.patch = PatchCounts(self.patch.path.name)
        with replace_file(files.fusion) as file:
            for block in self._merge(files, mapping):
                counts.add_counts(block.counts)
                file.write(block.data)
            for _, row in read_rows(appended) if appended else ():
                file.write(encode_json(row) + b"\n")
        if self.patch is not None and counts.patch is not None and files.is_full:
            counts.patch.misfits += missing_sentences(self.patch, counts.patch.seen, synthetic=files.synthetic)
        return counts

    def _warn_about_lost_patch(self, result: Path) -> None:
        """Warn if a result has the corrections of a patch, and this run has no patch."""
        manifest = read_manifest(result) if self.patch is None and result.is_file() else None
        if manifest is not None and "patch" in manifest.parameters:
            name = str(manifest.parameters["patch"])
            file = shlex.quote(str(self.layout.find(name) if self.layout.find(name).is_file() else name))
            log.warning("%s has the corrections of %s: to keep them, add --patch=%s", result, name, file)

    def _manifest(self, inputs: Mapping[str, str], counts: Mapping[str, Any]) -> Manifest:
        parameters: dict[str, Any] = {"label_prefix": self.settings.label_prefix, "dense": self.tokenisation.is_dense}
        if self.settings.drop_crossing:
            parameters["drop_crossing"] = True
        if self.settings.min_agreement is not None:
            parameters["min_agreement"] = self.settings.min_agreement
        if self.patch is not None:
            parameters["patch"] = self.layout.portable_name(self.patch.path)
        return build_manifest(self.name, inputs, parameters, counts)


def combine_label_files(step: str, layout: Layout, size: Size, targets: Sequence[str]) -> str:
    """Write the union of a size's label files as a result of `step`; return a line with its counts.

    Raises FileNotFoundError if s5 has not made `label_fusion.json`.
    """
    fusion = require_files({"fusion": layout.label_file("fusion", size)}, "run s5 --is_syn=0")
    synthetic = require_files({"syn": layout.label_file("syn", size)}, "run s5 --is_syn=1", at_least=0)
    files = [*fusion.values(), *synthetic.values()]
    for file in files:
        warn_if_stale(file, layout.find)
    inputs = hash_inputs(layout.portable_names([layout.labels, *files]))
    table = combine_tables([read_label_table(file) for file in files], targets)
    counts = table.extension_counts
    manifest = build_manifest(step, inputs, {}, counts)
    for path in label_files(layout, "syn_fusion", size):
        write_json(path, table.to_json())
        write_manifest(path, manifest)
    spans = f"{counted(len(counts), 'extension label')} with {counted(sum(counts.values()), 'span')}"
    return f"combined {counted(len(files), 'label file')} of size {size}: {counted(len(targets), 'target')}, {spans}"


def combine_tables(tables: Sequence[LabelTable], targets: Sequence[str]) -> LabelTable:
    """Return the union of label tables: the given targets, and the extension labels with their counts added."""
    counts: Counter[str] = Counter()
    for table in tables:
        counts.update(table.extension_counts)
    return LabelTable.from_counts(targets, counts)
