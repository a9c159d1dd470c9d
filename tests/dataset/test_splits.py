"""The sizes: the first 25 %, 50 % and 100 % of the sentences, with everything made from them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.builders import read_lines, write_rows
from utils.annotation.splitting import SizeSplit, find_split_files
from utils.dataset.layout import SIZES, Layout
from utils.dataset.sentence_file import read_dataset_info
from utils.dataset.tokens import WORDS
from utils.files.manifest import hash_inputs

Row = dict[str, Any]


def synthetic(id_, source, text="new words"):
    return {"id": id_, "source": source, "text": text.split(), "entities": []}


def annotation(id_, text):
    return {"id": id_, "text": text.split(), "mode": "entity", "items": [], "answers": [], "status": "ok"}


@dataclass
class Share:
    """The lines of one size."""

    sentences: Sequence[Row]
    synthetic: Sequence[Row]
    annotations: Sequence[Row]
    synthetic_annotations: Sequence[Row]


class Sizes:
    """The files of s4 for some sentences, and the number of annotations that are in no size."""

    def __init__(self, folder: Path, number: int, made: list[Row], annotations: list[Row], of_made: list[Row]) -> None:
        self.layout = layout = Layout(folder, "tiny")
        write_rows(layout.train, [{"text": ["sentence", str(n)], "entities": []} for n in range(1, number + 1)])
        layout.labels.write_text("O\nPER\n", encoding="utf-8")
        write_rows(layout.annotation_file("entity"), annotations)
        write_rows(layout.synthetic(), made)
        write_rows(layout.annotation_file("pos", synthetic=True), of_made)
        files = find_split_files(layout)
        hashes = hash_inputs(layout.portable_names([layout.train, *files.results]))
        dataset = read_dataset_info(layout.train, layout.labels, tokenisation=WORDS)
        self.stray_rows = SizeSplit(layout, dataset, files, hashes).publish().strays

    def first(self, percent: int) -> Share:
        layout, size = self.layout, next(size for size, share in SIZES.items() if share == percent)
        return Share(
            read_lines(layout.size_sentences(size)),
            read_lines(layout.size_sentences(size, synthetic=True)),
            read_lines(layout.size_annotation_file(size, "entity")),
            read_lines(layout.size_annotation_file(size, "pos", synthetic=True)),
        )


@pytest.fixture
def share(tmp_path):
    """Return a function that splits sentences; each call uses a folder of its own."""
    folders = (tmp_path / str(n) for n in itertools.count())

    def split(number=8, made=(), annotations=(), synthetic_annotations=()):
        return Sizes(next(folders), number, list(made), list(annotations), list(synthetic_annotations))

    return split


@pytest.mark.parametrize(
    ("number", "percent", "first"),
    [(8, 25, 2), (8, 50, 4), (8, 100, 8), (1, 25, 1), (1, 50, 1), (3, 25, 1), (3, 50, 1), (7, 50, 3), (1350, 25, 337)],
)
def test_a_size_is_the_first_sentences_rounded_down_but_at_least_one(share, number, percent, first):
    part = share(number).first(percent)
    assert [one["text"][1] for one in part.sentences] == [str(n) for n in range(1, first + 1)]


def test_a_synthetic_sentence_is_in_a_size_exactly_if_its_source_is(share):
    # Many come from the last sentences and few from the first: a split by line count would go wrong.
    made = [synthetic("2-1", 2), *(synthetic(f"8-{n}", 8, f"s {n}") for n in range(1, 6)), synthetic("4-1", 4)]
    whole = share(8, made)
    assert [one["id"] for one in whole.first(25).synthetic] == ["2-1"]
    assert [one["id"] for one in whole.first(50).synthetic] == ["2-1", "4-1"]
    assert [one["id"] for one in whole.first(100).synthetic] == [one["id"] for one in made]


def test_a_source_is_compared_by_its_number_and_not_by_its_first_digits(share):
    made = [synthetic("1-1", 1), synthetic("11-1", 11), synthetic("10-1", 10)]
    assert [one["id"] for one in share(12, made).first(25).synthetic] == ["1-1"]


def test_a_size_may_be_without_synthetic_sentences(share):
    assert list(share(8, [synthetic("8-1", 8)]).first(25).synthetic) == []


def lines(rows):
    return {json.dumps(row) for row in rows}


def test_the_smaller_sizes_are_part_of_the_larger_ones(share):
    made = [synthetic(f"{n}-1", n, f"s {n}") for n in range(1, 9)]
    whole = share(8, made)
    parts = [whole.first(percent) for percent in (25, 50, 100)]
    for smaller, larger in itertools.pairwise(parts):
        assert lines(smaller.sentences) <= lines(larger.sentences)
        assert lines(smaller.synthetic) <= lines(larger.synthetic)


def test_annotations_belong_to_sentences_by_id_and_not_by_position(share):
    rows = [annotation(str(n), f"sentence {n}") for n in (8, 2, 1)]
    part = share(8, annotations=rows).first(25)
    assert [row["id"] for row in part.annotations] == ["1", "2"]  # in the order of the sentences


def test_annotations_of_synthetic_sentences_are_in_the_sizes_of_the_sources(share):
    made = [synthetic("1-1", 1), synthetic("8-1", 8, "other words")]
    rows = [annotation("1-1", "new words"), annotation("8-1", "other words")]
    part = share(8, made, synthetic_annotations=rows).first(25)
    assert [row["id"] for row in part.synthetic_annotations] == ["1-1"]


@pytest.mark.parametrize(
    "stray",
    [
        annotation("1", "another text"),
        annotation("99", "sentence 1"),
        annotation("1-1", "sentence 1"),
        {"answers": []},
    ],
)
def test_an_annotation_of_another_text_is_in_no_size_and_is_counted(share, stray):
    whole = share(8, annotations=[annotation("1", "sentence 1"), stray])
    assert [row.get("id") for row in whole.first(100).annotations] == ["1"]
    assert whole.stray_rows == 1


def test_an_id_may_be_a_number(share):
    whole = share(8, annotations=[{**annotation("1", "sentence 1"), "id": 1}])
    assert [row["id"] for row in whole.first(25).annotations] == [1]
    assert whole.stray_rows == 0


def test_without_stray_annotations_the_count_is_zero(share):
    made = [synthetic("1-1", 1)]
    whole = share(8, made, [annotation("1", "sentence 1")], [annotation("1-1", "new words")])
    assert whole.stray_rows == 0
