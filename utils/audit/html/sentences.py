"""The sentences that the report shows: original and synthetic ones with their spans, their source and their size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from utils.dataset.layout import FULL, SIZES, Layout, Size
from utils.dataset.reading import Dataset, read_sentences, read_synthetic
from utils.dataset.records import Sentence, SpanKey
from utils.dataset.splits import first_sentences
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_rows

Kind = Literal["original", "synthetic", "raw"]
KINDS: tuple[Kind, ...] = ("original", "synthetic", "raw")


@dataclass(frozen=True)
class ShownSentence:
    """A sentence with the smallest size that contains it."""

    sentence: Sentence
    id: str  # its number in train_1000.jsonl, or the id of s2
    kind: Kind
    size: Size


@dataclass(frozen=True)
class ShownSentences:
    """The sentences to show, and the files that they were read from."""

    rows: Sequence[ShownSentence]
    files: Sequence[Path]
    differing: dict[Size, int] = field(default_factory=dict)  # sentences with other spans in the file of a smaller size

    def of_kind(self, *kinds: Kind) -> list[ShownSentence]:
        return [row for row in self.rows if row.kind in kinds]


def read_shown_sentences(layout: Layout, dataset: Dataset) -> ShownSentences:
    """Return the sentences of the full size from the latest files that there are: merged, labelled or plain ones."""
    original = _first_file([layout.size_fusion(FULL), layout.train])
    files = [original]
    rows = _original(original, dataset)
    labelled = [layout.size_fusion(FULL, synthetic=True), layout.size_target(FULL), layout.synthetic()]
    if any(file.is_file() for file in labelled):
        file = _first_file(labelled)
        files.append(file)
        rows += _synthetic(file, dataset, layout)
    return ShownSentences(rows, files, _differing(layout, dataset, rows))


def _first_file(files: Sequence[Path]) -> Path:
    return next(file for file in files if file.is_file())


def _original(file: Path, dataset: Dataset) -> list[ShownSentence]:
    sizes = _sizes_of_numbers(dataset)
    found = []
    for sentence in read_sentences(file, tokenisation=dataset.tokenisation):
        number = sentence.number or int(sentence.id)
        found.append(ShownSentence(sentence, str(number), "original", sizes.get(number, FULL)))
    return found


def _sizes_of_numbers(dataset: Dataset) -> dict[int, Size]:
    """Return the smallest size of each sentence of the dataset, by its number."""
    sizes: dict[int, Size] = {}
    for size, percent in reversed(SIZES.items()):
        chosen = first_sentences(dataset.sentences, percent)
        sizes.update(dict.fromkeys(range(1, len(chosen) + 1), size))
    return sizes


def _synthetic(file: Path, dataset: Dataset, layout: Layout) -> list[ShownSentence]:
    sizes = _sizes_of_numbers(dataset)
    found = []
    for sentence in _read_synthetic(file, dataset, layout):
        smallest: Size = min(SIZES, key=SIZES.__getitem__) if sentence.is_raw else sizes.get(sentence.source or 0, FULL)
        found.append(ShownSentence(sentence, sentence.id, "raw" if sentence.is_raw else "synthetic", smallest))
    return found


def _read_synthetic(file: Path, dataset: Dataset, layout: Layout) -> list[Sentence]:
    """Return the synthetic sentences of a file; s8 appends original ones, which are left out."""
    if file == layout.size_fusion(FULL, synthetic=True):
        rows = [row for _, row in read_rows(file)]
        sentences = read_sentences(file, tokenisation=dataset.tokenisation)
        return [
            Sentence(str(row.get("id", number)), one.tokens, one.spans, one.row)
            for number, (row, one) in enumerate(zip(rows, sentences, strict=True), start=1)
            if one.is_synthetic
        ]
    return read_synthetic(file, tokenisation=dataset.tokenisation, sources=dataset.sentences)


def _differing(layout: Layout, dataset: Dataset, shown: Sequence[ShownSentence]) -> dict[Size, int]:
    """Return how many sentences have other spans in the files of a smaller size, which other models may have made."""
    spans = {row.id: _keys(row.sentence) for row in shown}
    found: dict[Size, int] = {}
    for size in SIZES:
        if size != FULL and (number := sum(spans.get(id_) != keys for id_, keys in _merged(layout, dataset, size))):
            found[size] = number
    return found


def _merged(layout: Layout, dataset: Dataset, size: Size) -> Iterator[tuple[str, set[SpanKey]]]:
    """Yield the id and the spans of each merged sentence of a size."""
    file = layout.size_fusion(size)
    tokenisation: Tokenisation = dataset.tokenisation
    if file.is_file():
        for sentence in read_sentences(file, tokenisation=tokenisation):
            yield str(sentence.number or sentence.id), _keys(sentence)
    file = layout.size_fusion(size, synthetic=True)
    if file.is_file():
        for sentence in read_sentences(file, tokenisation=tokenisation):
            if sentence.is_synthetic:
                yield str(sentence.row.get("id")), _keys(sentence)


def _keys(sentence: Sentence) -> set[SpanKey]:
    return {span.key for span in sentence.spans}
