"""Sentences that stay in their file: each is read where it is used, and memory holds the position of its line."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from utils.dataset.held_out import SharedSentences
from utils.dataset.offsets import OffsetCheck
from utils.dataset.reading import (
    Dataset,
    DatasetInfo,
    check_labels,
    is_legacy_synthetic,
    read_labels,
    read_legacy_synthetic,
    require_dataset,
    tokenisation_of_file,
)
from utils.dataset.records import Sentence, sentence_from_row, synthetic_from_row
from utils.dataset.tokens import CHARACTERS, ScriptCount, TokenCount, Tokenisation, text_hash
from utils.files.compressed import open_seekable
from utils.files.joining import read_id
from utils.files.jsonl import JsonObject, locate_lines, parse_row

ReadLines = Callable[[Path], Iterable[tuple[int, int, bytes]]]  # number, first byte and bytes of each line

NO_SENTENCES = "{} contains no sentences: add at least one annotated sentence"
HASH = 32  # bytes of a SHA-256


class SentenceFile(Sequence[Sentence]):
    """The sentences of a file, in its order. A slice shares the positions of the whole file.

    The file stays open: if it is deleted, or another one takes its place, the sentences are still those of the old one.
    """

    def __init__(
        self, path: Path, tokenisation: Tokenisation, starts: array[int], hashes: bytearray, *, is_synthetic: bool
    ) -> None:
        self.path = path
        self._tokenisation = tokenisation
        self._is_synthetic = is_synthetic
        self._starts = starts  # of each line, in bytes
        self._hashes = hashes  # of the texts, HASH bytes each
        self._numbers = range(len(starts))
        self._file = open_seekable(path)
        self._version = self._current_version()

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Sentence: ...

    @overload
    def __getitem__(self, index: slice) -> SentenceFile: ...

    def __getitem__(self, index: int | slice) -> Sentence | SentenceFile:
        found = self._numbers[index]
        if isinstance(found, int):
            self._check_version()
            return self._sentence(found)
        part = copy(self)
        part._numbers = found
        return part

    def __iter__(self) -> Iterator[Sentence]:
        self._check_version()
        return map(self._sentence, self._numbers)

    def text_hashes(self) -> Iterator[tuple[str, str]]:
        """Yield the id and the `text_hash` of each sentence, without parsing its line."""
        for number in self._numbers:
            id_ = read_id((number + 1, self._line(number)), self.path) if self._is_synthetic else str(number + 1)
            yield id_, self._hashes[HASH * number : HASH * (number + 1)].hex()

    def _sentence(self, number: int) -> Sentence:
        row = parse_row(self._line(number), f"{self.path}: sentence {number + 1}")
        return _sentence_of(row, number + 1, self._tokenisation, is_synthetic=self._is_synthetic)

    def _line(self, number: int) -> bytes:
        self._file.seek(self._starts[number])
        return self._file.readline()

    def _current_version(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns

    def _check_version(self) -> None:
        if self._current_version() != self._version:
            raise RuntimeError(f"{self.path} was changed during the run: run the same command again")


@dataclass(frozen=True)
class SelectedSentences(Sequence[Sentence]):
    """Some of the sentences of another sequence, in the order of their indices."""

    sentences: Sequence[Sentence]
    indices: array[int]

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Sentence: ...

    @overload
    def __getitem__(self, index: slice) -> SelectedSentences: ...

    def __getitem__(self, index: int | slice) -> Sentence | SelectedSentences:
        if isinstance(index, slice):
            return SelectedSentences(self.sentences, self.indices[index])
        return self.sentences[self.indices[index]]


def open_dataset(
    train: Path,
    labels: Path,
    *,
    tokenisation: Tokenisation | None = None,
    held_out: Iterable[Path] = (),
    read: ReadLines = locate_lines,
) -> Dataset:
    """Return the dataset that `read_dataset` returns, with sentences that stay in their file.

    Every line is checked. Warns about sentences that are also in one of the files `held_out`. `read` returns the lines
    of a file, and may show the progress.
    """
    require_dataset(train)
    names = tuple(read_labels(labels))
    check = _Check(
        train, tokenisation, names, shared=SharedSentences(train, held_out), tokens=TokenCount(), scripts=ScriptCount()
    )
    sentences = check.run(read)
    if not sentences:
        raise ValueError(NO_SENTENCES.format(train))
    return Dataset(sentences, names, check.final_tokenisation, check.scripts)


def read_dataset_info(train: Path, labels: Path, *, tokenisation: Tokenisation | None = None) -> DatasetInfo:
    """Return the labels, the tokenisation and the number of sentences of a dataset; every line is checked."""
    require_dataset(train)
    names = tuple(read_labels(labels))
    check = _Check(train, tokenisation, names, tokens=TokenCount())
    number = sum(1 for _ in check.iterate(locate_lines))
    if not number:
        raise ValueError(NO_SENTENCES.format(train))
    return DatasetInfo(number, names, check.final_tokenisation)


def open_sentences(
    path: Path, *, tokenisation: Tokenisation, labels: Collection[str] | None = None, read: ReadLines = locate_lines
) -> SentenceFile:
    """Return the sentences that `read_sentences` returns, which stay in their file; every line is checked."""
    return _Check(path, tokenisation, labels).run(read)


def open_synthetic(
    path: Path, *, tokenisation: Tokenisation, sources: Sequence[Sentence] = (), read: ReadLines = locate_lines
) -> Sequence[Sentence]:
    """Return the sentences that `read_synthetic` returns, which stay in their file; every line is checked.

    Those of an earlier implementation are in memory.
    """
    if is_legacy_synthetic(path):
        return read_legacy_synthetic(path, tokenisation=tokenisation, sources=sources)
    return _Check(path, tokenisation, is_synthetic=True).run(read)


@dataclass
class _Check:
    """One pass over a file, which finds all that must be known of its sentences."""

    path: Path
    tokenisation: Tokenisation | None  # None: found from the tokens
    labels: Collection[str] | None = None  # that spans may have; None: any
    is_synthetic: bool = False
    shared: SharedSentences | None = None
    tokens: TokenCount | None = None  # these are counted if they are given
    scripts: ScriptCount | None = None

    @cached_property
    def label_file(self) -> Path:
        """The file of the labels, for messages."""
        return self.path.with_name("labels.txt")

    @property
    def final_tokenisation(self) -> Tokenisation:
        """The tokenisation of the sentences, after the pass."""
        return self.tokenisation or (self.tokens or TokenCount()).tokenisation

    def run(self, read: ReadLines) -> SentenceFile:
        """Return the sentences; raise ValueError that names the line if one is not valid."""
        starts, hashes = array("Q"), bytearray()
        for start, sentence in self.iterate(read):
            starts.append(start)
            hashes += bytes.fromhex(text_hash(sentence.tokens))
        return SentenceFile(self.path, self.final_tokenisation, starts, hashes, is_synthetic=self.is_synthetic)

    def iterate(self, read: ReadLines) -> Iterator[tuple[int, Sentence]]:
        """Yield the position of each line and its sentence; raise ValueError that names a line that is not valid."""
        offsets = OffsetCheck(self.path)
        for number, (line, start, data) in enumerate(read(self.path), start=1):
            sentence = self._sentence(line, data, number)
            yield start, sentence
            offsets.add(line, sentence)
            self._count(line, sentence.tokens)
        offsets.finish()
        if self.shared is not None:
            self.shared.finish()

    def _sentence(self, line: int, data: bytes, number: int) -> Sentence:
        source = f"{self.path}:{line}"
        row = parse_row(data, source)
        if self.tokenisation is None and isinstance(row.get("text"), str):
            self.tokenisation = tokenisation_of_file(self.path)  # lists of tokens, as in the lines before, need none
        try:
            sentence = _sentence_of(row, number, self.tokenisation or CHARACTERS, is_synthetic=self.is_synthetic)
            check_labels(sentence, self.labels, self.label_file)
        except ValueError as error:
            raise ValueError(f"{source}: {error}") from None
        return sentence

    def _count(self, line: int, tokens: Sequence[str]) -> None:
        if self.tokens is not None:
            self.tokens.add(tokens)
        if self.scripts is not None:
            self.scripts.add(tokens)
        if self.shared is not None:
            self.shared.add(line, tokens)


def _sentence_of(row: JsonObject, number: int, tokenisation: Tokenisation, *, is_synthetic: bool) -> Sentence:
    if is_synthetic:
        return synthetic_from_row(row, tokenisation=tokenisation)
    return sentence_from_row(row, id=str(number), tokenisation=tokenisation)
