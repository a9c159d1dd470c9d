"""Work over blocks in several processes: the order is kept, few blocks are read in advance, and errors arrive here."""

from __future__ import annotations

import os

import pytest

from utils.compute.engine import Engine
from utils.compute.ordered_map import WAITING


def tripled(block):
    """Work for tests; it must be importable in other processes."""
    if block == [13]:
        raise ValueError("train.jsonl:13: not a sentence")
    if block == ["killed"]:
        os._exit(9)
    return [3 * number for number in block]


@pytest.mark.parametrize("workers", [None, 1, 2])
def test_results_have_the_order_of_the_blocks(workers):
    blocks = [[number, number + 1] for number in range(40)]
    found = list(Engine(workers=workers).map(tripled, iter(blocks)))
    assert found == [[3 * number, 3 * number + 3] for number in range(40)]


@pytest.mark.parametrize("workers", [1, 2])
def test_few_blocks_are_read_before_their_results_are_taken(workers):
    read = []

    def blocks():
        for number in range(1000):
            read.append(number)
            yield [number]

    results = Engine(workers=workers).map(tripled, blocks())
    for number in range(10):
        assert next(results) == [3 * number]
        assert len(read) <= number + 2 + WAITING * workers


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_work_is_raised_here(workers):
    with pytest.raises(ValueError, match=r"^train\.jsonl:13: not a sentence$"):
        list(Engine(workers=workers).map(tripled, ([number] for number in range(20))))


def test_a_killed_process_is_an_error_that_says_what_to_do():
    with pytest.raises(RuntimeError, match="fewer --num_workers"):
        list(Engine(workers=2).map(tripled, iter([["killed"]])))


@pytest.mark.slow
def test_processes_of_ray_keep_the_order_and_raise_errors_of_the_work():
    ray = pytest.importorskip("ray")
    engine = Engine("ray", workers=2)
    try:
        assert list(engine.map(tripled, ([number] for number in range(20, 50)))) == [
            [3 * number] for number in range(20, 50)
        ]
        with pytest.raises(ValueError, match=r"^train\.jsonl:13: not a sentence$"):
            list(engine.map(tripled, ([number] for number in range(20))))
    finally:
        ray.shutdown()
