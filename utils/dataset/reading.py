"""Datasets and files of sentences, read completely and checked before a step starts."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, TypeGuard

from utils.dataset.layout import require_folder
from utils.dataset.legacy_synthetic import add_sources
from utils.dataset.offsets import OffsetCheck
from utils.dataset.records import UNKNOWN_SOURCE, Sentence, sentence_from_row, synthetic_from_row
from utils.dataset.tokens import Language, ScriptCount, Tokenisation, count_scripts, tokenisation_of
from utils.files.jsonl import read_rows, read_text

log = logging.getLogger(__name__)
_LINE_END = re.compile(r"\r\n|\n|\r")  # of labels.txt; str.splitlines would also cut labels, such as at U+2028


@dataclass(frozen=True)
class Dataset:
    """The annotated sentences of a dataset, its target labels ("O" first), and its tokenisation."""

    sentences: Sequence[Sentence]
    labels: tuple[str, ...]
    tokenisation: Tokenisation
    scripts: ScriptCount | None = None  # of the sentences; None: not counted yet

    @cached_property
    def language(self) -> Language:
        """The language of the prompts."""
        scripts = self.scripts or count_scripts(sentence.tokens for sentence in self.sentences)
        return scripts.language(self.tokenisation)

    @property
    def info(self) -> DatasetInfo:
        """The dataset without its sentences."""
        return DatasetInfo(len(self.sentences), self.labels, self.tokenisation)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target labels without "O"."""
        return self.labels[1:]


@dataclass(frozen=True)
class DatasetInfo:
    """What steps must know of a dataset while its sentences stay on the disk."""

    num_sentences: int
    labels: tuple[str, ...]  # "O" first
    tokenisation: Tokenisation

    @property
    def targets(self) -> tuple[str, ...]:
        """The target labels without "O"."""
        return self.labels[1:]


def read_dataset(train: Path, labels: Path, *, tokenisation: Tokenisation | None = None) -> Dataset:
    """Return the dataset of a training file and its labels; by default, the tokenisation is found from the tokens."""
    require_dataset(train)
    names = read_labels(labels)
    if tokenisation is None:
        tokenisation = tokenisation_of_file(train)
    sentences = read_sentences(train, tokenisation=tokenisation, labels=names)
    if not sentences:
        raise ValueError(f"{train} contains no sentences: add at least one annotated sentence")
    return Dataset(tuple(sentences), tuple(names), tokenisation)


def read_held_out(path: Path, dataset: Dataset) -> tuple[Sentence, ...]:
    """Return the sentences of dev or test, which have the labels and the tokenisation of the dataset.

    Raises FileNotFoundError if the file is missing, and ValueError if it is not valid or has no sentences.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it must contain annotated sentences of the same kind")
    sentences = read_sentences(path, tokenisation=dataset.tokenisation, labels=dataset.labels)
    if not sentences:
        raise ValueError(f"{path} contains no sentences: add at least one annotated sentence")
    return tuple(sentences)


def require_dataset(train: Path) -> None:
    """Raise FileNotFoundError if the folder of a dataset, or the training file in it, is missing."""
    require_folder(train.parent)
    if not train.is_file():
        raise FileNotFoundError(f"{train} is missing: it must contain the annotated sentences of the dataset")


def tokenisation_of_file(path: Path) -> Tokenisation:
    """Return the tokenisation of a file of sentences; rows without a valid text are ignored."""
    texts = (row.get("text") for _, row in read_rows(path))
    return tokenisation_of(text for text in texts if isinstance(text, str) or _is_list_of_texts(text))


def read_labels(path: Path) -> list[str]:
    """Return the target labels of a `labels.txt`, "O" first."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: write one target label per line, O first")
    labels = [line.strip() for line in _LINE_END.split(read_text(path)) if line.strip()]
    if not labels or labels[0] != "O":
        raise ValueError(f"{path}: the first line must be O, found {labels[0] if labels else 'nothing'!r}")
    repeated = {label for label in labels if labels.count(label) > 1}
    if repeated:
        raise ValueError(f"{path}: {min(repeated)!r} is listed twice; remove one of the lines")
    if len(labels) == 1:
        raise ValueError(f"{path}: there is no target label; write one label per line, after O")
    return labels


def read_synthetic(path: Path, *, tokenisation: Tokenisation, sources: Sequence[Sentence] = ()) -> list[Sentence]:
    """Return the synthetic sentences of a file of s2, s4 or s7, with the ids of their rows.

    The rows of an earlier implementation have no ids. They are matched by their text to the `sources`, the sentences of
    the dataset.
    """
    if is_legacy_synthetic(path):
        return read_legacy_synthetic(path, tokenisation=tokenisation, sources=sources)
    return list(iterate_synthetic(path, tokenisation=tokenisation))


def read_legacy_synthetic(
    path: Path, *, tokenisation: Tokenisation, sources: Sequence[Sentence] = ()
) -> list[Sentence]:
    """Return the synthetic sentences of an earlier implementation, with the sources that are found by their texts."""
    made = add_sources(read_sentences(path, tokenisation=tokenisation), sources, tokenisation=tokenisation)
    _report_sources(path, made)
    return made


def iterate_synthetic(path: Path, *, tokenisation: Tokenisation, check: bool = True) -> Iterator[Sentence]:
    """Yield the synthetic sentences of a file of s2, s4 or s7, with the ids of their rows."""
    rows = ((line, row, "") for line, row in read_rows(path))
    sentences = _iterate(path, rows, lambda row, _: synthetic_from_row(row, tokenisation=tokenisation))
    return _with_checked_offsets(path, sentences) if check else (sentence for _, sentence in sentences)


def read_sentences(path: Path, *, tokenisation: Tokenisation, labels: Collection[str] | None = None) -> list[Sentence]:
    """Return the sentences of a JSON Lines file; their ids are their numbers from 1.

    Raises ValueError with the number of the line if a line is not a valid sentence or, with `labels`, if it has a span
    with another label, and if the offsets of nearly all spans differ from their "text" in the same way.
    """
    return list(iterate_sentences(path, tokenisation=tokenisation, labels=labels))


def iterate_sentences(
    path: Path, *, tokenisation: Tokenisation, labels: Collection[str] | None = None, check: bool = True
) -> Iterator[Sentence]:
    """Yield the sentences that `read_sentences` returns.

    With `check`, the offsets of all spans are compared after the last sentence.
    """
    numbers = map(str, count(1))
    rows = ((line, row, id_) for (line, row), id_ in zip(read_rows(path), numbers, strict=False))

    def sentence(row: Mapping[str, Any], id_: str) -> Sentence:
        found = sentence_from_row(row, id=id_, tokenisation=tokenisation)
        check_labels(found, labels, path.with_name("labels.txt"))
        return found

    sentences = _iterate(path, rows, sentence)
    return _with_checked_offsets(path, sentences) if check else (one for _, one in sentences)


def _iterate(
    path: Path,
    rows: Iterable[tuple[int, Mapping[str, Any], str]],
    read: Callable[[Mapping[str, Any], str], Sentence],
) -> Iterator[tuple[int, Sentence]]:
    """Yield (line number, sentence) for each (line number, row, id); errors name the line."""
    for line, row, id_ in rows:
        try:
            sentence = read(row, id_)
        except ValueError as error:
            raise ValueError(f"{path}:{line}: {error}") from None
        yield line, sentence


def _with_checked_offsets(path: Path, sentences: Iterable[tuple[int, Sentence]]) -> Iterator[Sentence]:
    offsets = OffsetCheck(path)
    for line, sentence in sentences:
        offsets.add(line, sentence)
        yield sentence
    offsets.finish()


def is_legacy_synthetic(path: Path) -> bool:
    """Return whether no row of a file has an id or a source."""
    return not any("id" in row or "source" in row for _, row in read_rows(path))


def _report_sources(path: Path, sentences: Collection[Sentence]) -> None:
    if not sentences:
        return
    known = sum(sentence.source != UNKNOWN_SOURCE for sentence in sentences)
    log.log(
        logging.INFO if 2 * known >= len(sentences) else logging.WARNING,
        "%s: sentences of an earlier implementation; %d of %d are matched to their source by the mentions in them, and "
        "the others belong to size 1000 alone; run s2 to make sentences with a known source",
        path,
        known,
        len(sentences),
    )


def _is_list_of_texts(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def check_labels(sentence: Sentence, labels: Collection[str] | None, source: Path) -> None:
    """Raise ValueError if a span has another label; `source` is the file of the labels."""
    for number, span in enumerate(sentence.spans, start=1):
        if labels is not None and (span.label not in labels or span.label == "O"):
            known = ", ".join(label for label in labels if label != "O")
            raise ValueError(f"entity {number}: {span.label!r} is not a label of {source.name} ({known})")
