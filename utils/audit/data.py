"""The data that an audit compares results with: the dataset, the synthetic sentences, and the contents of each size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

from utils.dataset.held_out import HeldOutTexts
from utils.dataset.layout import FULL, SIZES, Layout, Size, require_files
from utils.dataset.modes import MODES, Mode
from utils.dataset.reading import (
    DatasetInfo,
    is_legacy_synthetic,
    iterate_sentences,
    iterate_synthetic,
    read_sentences,
    read_synthetic,
)
from utils.dataset.records import Sentence
from utils.dataset.sentence_file import read_dataset_info
from utils.dataset.splits import is_made_from, share_of
from utils.dataset.tokens import Tokenisation, text_hash


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of a size's results that is from outside the size, or that has an unknown origin."""

    file: Path
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.message}"


@dataclass(frozen=True, slots=True)
class NotSeen:
    """What could not be checked: it may be right or wrong."""

    message: str


AuditFinding = Problem | NotSeen


@dataclass(frozen=True)
class SizeData:
    """The sentences of one size, found without the files of that size."""

    size: Size
    number: int  # of original sentences
    sentences: Callable[[], Iterator[Sentence]]  # read from the file of the dataset
    synthetic: Callable[[], Iterator[Sentence]]  # read from the file of s2

    def ids(self, *, synthetic: bool) -> Iterator[str]:
        """Yield the ids of the original or the synthetic sentences."""
        return (one.id for one in self.synthetic()) if synthetic else map(str, range(1, self.number + 1))

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The text hashes of the sentences, as in `training.json`."""
        return frozenset(text_hash(sentence.tokens) for sentence in chain(self.sentences(), self.synthetic()))


@dataclass(frozen=True)
class AuditData:
    """The dataset and its held-out sentences. Files that may be large stay on the disk, and are read from there."""

    layout: Layout
    models: Path
    dataset: DatasetInfo
    dev: Sequence[Sentence]
    test: Sequence[Sentence]

    def sentences(self) -> Iterator[Sentence]:
        """Yield the sentences of the dataset."""
        return self.read(self.layout.train)

    def synthetic(self) -> Iterator[Sentence]:
        """Yield all synthetic sentences."""
        if self._legacy_synthetic is not None:
            return iter(self._legacy_synthetic)
        source = self.layout.synthetic()
        return self.read_synthetic(source) if source.is_file() else iter(())

    @cached_property
    def _legacy_synthetic(self) -> list[Sentence] | None:
        """The synthetic sentences if an earlier implementation made them: their sources are found in the dataset."""
        source = self.layout.synthetic()
        if not source.is_file() or not is_legacy_synthetic(source):
            return None
        return read_synthetic(source, tokenisation=self.dataset.tokenisation, sources=list(self.sentences()))

    @cached_property
    def held_out(self) -> HeldOutTexts[str]:
        """The sentences of dev and test, each with its position in words."""
        files = ((self.layout.dev, self.dev), (self.layout.test, self.test))
        return HeldOutTexts((one.tokens, f"sentence {one.id} of {file.name}") for file, own in files for one in own)

    @cached_property
    def test_hashes(self) -> frozenset[str]:
        """The text hashes of the sentences of test, as in `training.json`."""
        return frozenset(text_hash(sentence.tokens) for sentence in self.test if sentence.tokens)

    @cached_property
    def held_out_hashes(self) -> Mapping[str, str]:
        """The position of each sentence of dev and test, by its text hash."""
        files = ((self.layout.dev, self.dev), (self.layout.test, self.test))
        held_out = ((one, file.name) for file, own in files for one in own if one.tokens)
        return {text_hash(one.tokens): f"sentence {one.id} of {name}" for one, name in held_out}

    def of_size(self, size: Size) -> SizeData:
        """Return the first sentences of the dataset that make up a size, and the synthetic sentences made from them."""
        number = share_of(self.dataset.num_sentences, SIZES[size])

        def synthetic() -> Iterator[Sentence]:
            return (one for one in self.synthetic() if is_made_from(one, number, is_whole=size == FULL))

        return SizeData(size, number, lambda: islice(self.sentences(), number), synthetic)

    def annotation_files(self, size: Size) -> list[tuple[Mode, bool, Path]]:
        """Return (mode, is_synthetic, path) of the annotation files that exist for a size."""
        files = [
            (mode, is_synthetic, self.layout.size_annotation_file(size, mode, synthetic=is_synthetic))
            for mode in MODES
            for is_synthetic in (False, True)
        ]
        return [(mode, is_synthetic, file) for mode, is_synthetic, file in files if file.is_file()]

    def read(self, file: Path) -> Iterator[Sentence]:
        """Yield the sentences of a file, with their numbers as ids."""
        return iterate_sentences(file, tokenisation=self.dataset.tokenisation, check=False)

    def read_synthetic(self, file: Path) -> Iterator[Sentence]:
        """Yield the synthetic sentences of a file, with the ids of their rows."""
        return iterate_synthetic(file, tokenisation=self.dataset.tokenisation, check=False)


def read_audit_data(layout: Layout, models: Path, *, tokenisation: Tokenisation | None) -> AuditData:
    """Return the data that the results of a dataset are compared with.

    Raises FileNotFoundError if s4 has not run.
    """
    dataset = read_dataset_info(layout.train, layout.labels, tokenisation=tokenisation)
    require_files({size: layout.size_sentences(size) for size in SIZES}, "run s4", at_least=len(SIZES))
    dev, test = (
        read_sentences(file, tokenisation=dataset.tokenisation) if file.is_file() else []
        for file in (layout.dev, layout.test)
    )
    return AuditData(layout, models, dataset, dev, test)
