"""The split into sizes: each file is read once, and its lines are written to the files of all sizes (s4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from utils.annotation.legacy.copies import without_legacy
from utils.compute.progress import tracked
from utils.dataset.layout import SIZES, Layout, Size, require_files
from utils.dataset.modes import EXTENSION_MODES, Mode
from utils.dataset.reading import DatasetInfo, iterate_sentences, iterate_synthetic, read_sentences
from utils.dataset.records import Sentence, sentence_to_row
from utils.dataset.splits import is_made_from, share_of
from utils.files.joining import LineFinder, sentence_ids
from utils.files.jsonl import JsonObject, count_lines, encode_json, parse_row, replace_file
from utils.files.manifest import build_manifest, write_manifest
from utils.wording import counted

Part = Mode | None  # of the files of a size: the annotations of a mode, or None for the sentences


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


@dataclass(frozen=True)
class SplitCounts:
    """How many sentences were split, and how many annotations belong to none of them, because its text has changed."""

    sentences: int
    synthetic: int
    strays: int

    def __str__(self) -> str:
        dropped = f", {counted(self.strays, 'annotation')} of other texts dropped" if self.strays else ""
        sentences, synthetic = counted(self.sentences, "sentence"), counted(self.synthetic, "synthetic sentence")
        return f"split {sentences} and {synthetic}{dropped}"

    @property
    def advice(self) -> str | None:
        """What to try if annotations were dropped; None otherwise."""
        return "run s1 and s3 again: sentences have changed" if self.strays else None


@dataclass(frozen=True)
class SizeSplit:
    """Writes the files of the sizes; the manifest of each lists the files that it was taken from, with their hashes.

    A synthetic sentence belongs to the sizes of its source sentence, an annotation to the sentence that has its id and
    its text. A synthetic sentence of an unknown source belongs to the 100 % alone, and raw text to every size.
    """

    layout: Layout
    dataset: DatasetInfo
    files: SplitFiles
    hashes: Mapping[str, str]
    sizes: Sequence[Size] = tuple(SIZES)
    is_wanted: Callable[[Sentence], bool] = lambda _: True  # of synthetic sentences; the others are left out

    def publish(self) -> SplitCounts:
        """Write all files and return the counts. The old files are replaced only when every line has been read."""
        files = self.files
        sides = [(files.train, files.annotations, False)]
        if files.synthetic is not None:
            sides.append((files.synthetic, files.synthetic_annotations, True))
        counts, results = [], []
        with ExitStack() as stack:
            for sentences, annotations, synthetic in sides:
                results.append(_Results(self._paths(annotations, synthetic=synthetic), stack))
                with without_legacy(
                    (sentences, annotations),
                    synthetic=synthetic,
                    tokenisation=self.dataset.tokenisation,
                    sources=self._read_sources,
                ) as side:
                    counts.append(self._write_side(*side, results[-1], synthetic=synthetic))
        for side_results, (sentences, annotations, synthetic) in zip(results, sides, strict=True):
            own = [sentences] if synthetic else []
            self._write_manifests(side_results, [self.files.train, *own], annotations)
        numbers = [number for number, _ in counts]
        return SplitCounts(numbers[0], sum(numbers[1:]), sum(strays for _, strays in counts))

    def _write_manifests(self, results: _Results, sentences: Sequence[Path], annotations: Mapping[Mode, Path]) -> None:
        for (size, part), path in results.paths.items():
            sources = [*sentences, *([annotations[part]] if part else [])]
            inputs = {name: self.hashes[name] for name in self.layout.portable_names(sources)}
            parameters = {"size": size, "dense": self.dataset.tokenisation.is_dense}
            write_manifest(path, build_manifest("s4", inputs, parameters, {"lines": results.lines[size, part]}))

    def _write_side(
        self, path: Path, annotations: Mapping[Mode, Path], results: _Results, *, synthetic: bool
    ) -> tuple[int, int]:
        ids = partial(sentence_ids, path, from_rows=synthetic)
        finders = {mode: LineFinder(file, ids) for mode, file in annotations.items()}
        iterate = iterate_synthetic if synthetic else iterate_sentences
        number = matched = 0
        sentences = iterate(path, tokenisation=self.dataset.tokenisation)
        for sentence in tracked(sentences, f"s4 {path.stem}", total=count_lines(path), unit="sentence"):
            number += 1
            sizes = self._sizes_of(sentence, synthetic=synthetic)
            results.write(sizes, None, sentence_to_row(sentence))
            for mode, finder in finders.items():
                for row in _rows_of(sentence, finder, annotations[mode]):
                    results.write(sizes, mode, row)
                    matched += 1
        return number, sum(map(count_lines, annotations.values())) - matched

    def _sizes_of(self, sentence: Sentence, *, synthetic: bool) -> list[Size]:
        """Return the sizes that a sentence belongs to."""
        total = self.dataset.num_sentences
        shares = {size: share_of(total, SIZES[size]) for size in self.sizes}
        if not synthetic:
            return [size for size, share in shares.items() if int(sentence.id) <= share]
        if not self.is_wanted(sentence):
            return []
        return [size for size, share in shares.items() if is_made_from(sentence, share, is_whole=SIZES[size] == 100)]

    def _paths(self, annotations: Mapping[Mode, Path], *, synthetic: bool) -> dict[tuple[Size, Part], Path]:
        """Return the path of each result, by size and part."""
        layout = self.layout
        paths: dict[tuple[Size, Part], Path] = {}
        for size in self.sizes:
            paths[size, None] = layout.size_sentences(size, synthetic=synthetic)
            for mode in annotations:
                paths[size, mode] = layout.size_annotation_file(size, mode, synthetic=synthetic)
        return paths

    def _read_sources(self) -> list[Sentence]:
        return read_sentences(self.files.train, tokenisation=self.dataset.tokenisation)


class _Results:
    """The open files of all sizes, which replace the old ones together when the stack is closed."""

    def __init__(self, paths: Mapping[tuple[Size, Part], Path], stack: ExitStack) -> None:
        self.paths = paths
        self.lines: Counter[tuple[Size, Part]] = Counter()
        self._files: dict[tuple[Size, Part], BinaryIO] = {
            key: stack.enter_context(replace_file(path)) for key, path in paths.items()
        }

    def write(self, sizes: Sequence[Size], part: Part, row: JsonObject) -> None:
        """Write a row to the files of some sizes."""
        line = encode_json(row) + b"\n"
        for size in sizes:
            self._files[size, part].write(line)
            self.lines[size, part] += 1


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


def _rows_of(sentence: Sentence, finder: LineFinder, path: Path) -> Iterator[JsonObject]:
    """Yield the rows of an annotation file that have the id and the text of a sentence."""
    for number, data in finder.find(sentence.id):
        row = parse_row(data, f"{path}:{number}")
        if row.get("text") == list(sentence.tokens):
            yield row
