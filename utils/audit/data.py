"""The data that an audit compares results with: the dataset, the synthetic sentences, and the contents of each size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from utils.dataset.held_out import HeldOutTexts
from utils.dataset.layout import FULL, SIZES, Layout, Size, require_files
from utils.dataset.modes import MODES, Mode
from utils.dataset.reading import Dataset, read_dataset, read_sentences, read_synthetic
from utils.dataset.records import Sentence, text_hash
from utils.dataset.splits import first_sentences, made_from
from utils.dataset.tokens import Tokenisation


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


Finding = Problem | NotSeen


@dataclass(frozen=True)
class SizeData:
    """The sentences of one size, found without the files of that size."""

    size: Size
    sentences: Sequence[Sentence]
    synthetic: Mapping[str, Sentence]  # by id

    @cached_property
    def by_id(self) -> Mapping[str, Sentence]:
        """The original and synthetic sentences of the size, by id."""
        return {**{sentence.id: sentence for sentence in self.sentences}, **self.synthetic}

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The text hashes of the sentences, as in `training.json`."""
        return frozenset(text_hash(sentence.tokens) for sentence in self.by_id.values())


@dataclass(frozen=True)
class AuditData:
    """The dataset, its held-out sentences, and all synthetic sentences."""

    layout: Layout
    models: Path
    dataset: Dataset
    synthetic: Sequence[Sentence]
    dev: Sequence[Sentence]
    test: Sequence[Sentence]

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
        sentences = first_sentences(self.dataset.sentences, SIZES[size])
        synthetic = made_from(self.synthetic, sentences, is_whole=size == FULL)
        return SizeData(size, sentences, {sentence.id: sentence for sentence in synthetic})

    def annotation_files(self, size: Size) -> list[tuple[Mode, bool, Path]]:
        """Return (mode, is_synthetic, path) of the annotation files that exist for a size."""
        files = [
            (mode, is_synthetic, self.layout.size_annotation_file(size, mode, synthetic=is_synthetic))
            for mode in MODES
            for is_synthetic in (False, True)
        ]
        return [(mode, is_synthetic, file) for mode, is_synthetic, file in files if file.is_file()]

    def read(self, file: Path) -> list[Sentence]:
        """Return the sentences of a file, with their numbers as ids."""
        return read_sentences(file, tokenisation=self.dataset.tokenisation)

    def read_synthetic(self, file: Path) -> list[Sentence]:
        """Return the synthetic sentences of a file, with the ids of their rows."""
        return read_synthetic(file, tokenisation=self.dataset.tokenisation)


def read_audit_data(layout: Layout, models: Path, *, tokenisation: Tokenisation | None) -> AuditData:
    """Return the data that the results of a dataset are compared with.

    Raises FileNotFoundError if s4 has not run.
    """
    dataset = read_dataset(layout.train, layout.labels, tokenisation=tokenisation)
    require_files({size: layout.size_sentences(size) for size in SIZES}, "run s4", at_least=len(SIZES))
    source = layout.synthetic()
    held_out = [
        read_sentences(file, tokenisation=dataset.tokenisation) if file.is_file() else []
        for file in (layout.dev, layout.test)
    ]
    return AuditData(
        layout=layout,
        models=models,
        dataset=dataset,
        synthetic=read_synthetic(source, tokenisation=dataset.tokenisation, sources=dataset.sentences)
        if source.is_file()
        else [],
        dev=held_out[0],
        test=held_out[1],
    )
