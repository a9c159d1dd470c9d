"""Merging in several processes: the same bytes as in one, with blocks that end anywhere."""

from __future__ import annotations

import random

import pytest

from tests.helpers.builders import CHINESE, bytes_below, call, read_lines, write_rows
from tests.helpers.workspace import Workspace
from utils.fusion import blocks, step


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """A dataset on which s1 to s4 have run."""
    work = Workspace(tmp_path_factory.mktemp("split"), CHINESE)
    work.annotate()
    call("s4", **work.data)
    (work.folder / "save_model").mkdir()
    return work


@pytest.fixture(scope="module")
def merged(annotated, tmp_path_factory):
    """The results of both sides of s5, merged in one process with blocks of the usual size."""
    work = annotated.copy(tmp_path_factory.mktemp("merged"))
    for side in (0, 1):
        call("s5", **work.data, is_syn=side)
    return bytes_below(work.results)


@pytest.mark.parametrize(("workers", "size"), [(1, 1), (2, 2), (3, 250)])
def test_the_number_of_processes_and_the_size_of_blocks_change_no_byte(
    annotated, merged, tmp_path, monkeypatch, workers, size
):
    monkeypatch.setattr(blocks, "BLOCK", size)
    monkeypatch.setattr(step, "BLOCK", size)
    work = annotated.copy(tmp_path)
    for side in (0, 1):
        call("s5", **work.data, is_syn=side, num_workers=workers)
    assert bytes_below(work.results) == merged


def test_annotations_in_any_order_give_the_same_sentences(annotated, merged, tmp_path):
    work = annotated.copy(tmp_path)
    for file in sorted(work.results.rglob("*_train_*.jsonl")):
        if file.parent != work.results and file.name.startswith(("entity", "pos")):
            rows = read_lines(file)
            random.Random(0).shuffle(rows)
            write_rows(file, rows)
    for side in (0, 1):
        call("s5", **work.data, is_syn=side)
    found = bytes_below(work.results)
    names = [name for name in merged if name.endswith("fusion.jsonl")]
    assert len(names) == 6
    assert {name: found[name] for name in names} == {name: merged[name] for name in names}
