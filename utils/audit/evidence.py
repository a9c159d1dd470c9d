"""What an audit goes by: the dataset itself, the synthetic sentences of s2, and what belongs to each size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from utils.dataset.layout import SIZES, Layout, Size, require_files
from utils.dataset.modes import MODES, Mode
from utils.dataset.reading import Dataset, read_dataset, read_sentences, read_synthetic
from utils.dataset.records import Sentence, same_text_key, text_hash
from utils.dataset.splits import first_sentences
from utils.dataset.tokens import Tokenisation


@dataclass(frozen=True, slots=True)
class Breach:
    """Something of a size that does not come from it, or whose origin cannot be proven."""

    file: Path
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


@dataclass(frozen=True)
class SizeEvidence:
    """What belongs to one size, found without the files of that size."""

    size: Size
    sentences: Sequence[Sentence]
    synthetic: Mapping[str, Sentence]  # by id

    @cached_property
    def by_id(self) -> Mapping[str, Sentence]:
        """The sentences of the size, the synthetic ones too, by id."""
        return {**{sentence.id: sentence for sentence in self.sentences}, **self.synthetic}

    @cached_property
    def hashes(self) -> frozenset[str]:
        """What `training.json` knows the size's sentences by."""
        return frozenset(text_hash(sentence.tokens) for sentence in self.by_id.values())


@dataclass(frozen=True)
class Evidence:
    """The dataset, its held-out sentences, and all synthetic ones."""

    layout: Layout
    models: Path
    dataset: Dataset
    synthetic: Sequence[Sentence]
    hidden: Mapping[str, str]  # text of a sentence of dev or test, as `same_text_key` gives it -> its place
    hidden_hashes: Mapping[str, str]

    def of_size(self, size: Size) -> SizeEvidence:
        """Return what belongs to a size: the first share of the sentences, and what was made from those."""
        sentences = first_sentences(self.dataset.sentences, SIZES[size])
        ids = {sentence.id for sentence in sentences}
        own = {sentence.id: sentence for sentence in self.synthetic if str(sentence.source) in ids}
        return SizeEvidence(size, sentences, own)

    def answer_files(self, size: Size) -> list[tuple[Mode, bool, Path]]:
        """Return (mode, whether of synthetic sentences, file) of the answers of s1 and s3 that a size has."""
        files = [
            (mode, kind, self.layout.size_annotation_file(size, mode, synthetic=kind))
            for mode in MODES
            for kind in (False, True)
        ]
        return [(mode, kind, file) for mode, kind, file in files if file.is_file()]

    def read(self, file: Path) -> list[Sentence]:
        """Return the sentences of a file, by number."""
        return read_sentences(file, tokenisation=self.dataset.tokenisation)

    def read_synthetic(self, file: Path) -> list[Sentence]:
        """Return the synthetic sentences of a file, by id."""
        return read_synthetic(file, tokenisation=self.dataset.tokenisation)


def gather(layout: Layout, models: Path, *, tokenisation: Tokenisation | None) -> Evidence:
    """Return what an audit of a dataset's results goes by."""
    dataset = read_dataset(layout.train, layout.labels, tokenisation=tokenisation)
    require_files({size: layout.size_sentences(size) for size in SIZES}, "run s4", at_least=len(SIZES))
    source = layout.synthetic()
    held_out = [
        (sentence, f"{file.name}, sentence {sentence.id}")
        for file in (layout.dev, layout.test)
        if file.is_file()
        for sentence in read_sentences(file, tokenisation=dataset.tokenisation)
        if same_text_key(sentence.tokens)
    ]
    return Evidence(
        layout=layout,
        models=models,
        dataset=dataset,
        synthetic=read_synthetic(source, tokenisation=dataset.tokenisation) if source.is_file() else [],
        hidden={same_text_key(sentence.tokens): place for sentence, place in held_out},
        hidden_hashes={text_hash(sentence.tokens): place for sentence, place in held_out},
    )
