"""The dataset that the user names: whether all its files can be read, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from utils.cli.doctor.finding import Diagnosis, error_finding
from utils.dataset.layout import HeldOut, Layout
from utils.dataset.reading import Dataset, read_dataset, read_held_out
from utils.wording import counted

HELD_OUT: tuple[HeldOut, ...] = ("dev", "test")


def check_files(layout: Layout) -> Iterator[Diagnosis]:
    """Yield what was found about a dataset's files."""
    try:
        found = read_dataset(layout.train, layout.labels)
    except (ValueError, OSError) as error:
        yield error_finding("dataset", error)
        return
    yield Diagnosis("dataset", f"{layout.train}: {_contents(found)}")
    for split in HELD_OUT:
        yield _held_out(layout, split, found)


def _contents(found: Dataset) -> str:
    spans = sum(len(sentence.spans) for sentence in found.sentences)
    tokens = "a token is a character" if found.tokenisation.is_dense else "a token is a word"
    sentences, labels = counted(len(found.sentences), "sentence"), counted(len(found.targets), "label")
    return f"{sentences}, {counted(spans, 'span')}, {labels}, {tokens}"


def _held_out(layout: Layout, split: HeldOut, found: Dataset) -> Diagnosis:
    path = layout.held_out(split)
    if not path.is_file():
        return Diagnosis("dataset", f"{path} is missing", "it is needed to train and evaluate", "optional")
    try:
        number = len(read_held_out(path, found))
    except (ValueError, OSError) as error:
        return error_finding("dataset", error)
    return Diagnosis("dataset", f"{path}: {counted(number, 'sentence')}")
