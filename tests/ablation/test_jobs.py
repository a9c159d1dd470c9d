"""Jobs that need each other's results, in this process and in workers."""

from __future__ import annotations

import os
from functools import partial

import pytest

from utils.ablation.jobs import Job, Key, run_jobs, start_workers


def add(number, *others, gpus):
    return number + sum(others)


def fail(message, *, gpus):
    raise ValueError(message)


def die(*, gpus):
    os._exit(7)


def divide(*, gpus):
    return 1 // 0


def gpu(*results, gpus):
    return gpus


@pytest.fixture(params=[1, 2])
def workers(request, tmp_path):
    with start_workers(request.param, (), tmp_path) as started:
        yield started


def test_a_job_gets_the_results_of_the_jobs_that_it_needs(workers):
    jobs: dict[Key, Job] = {
        "c": Job(partial(add, 100), ("a", "b")),
        "a": Job(partial(add, 1)),
        "b": Job(partial(add, 10), ("a",)),
    }
    reported: list[int] = []
    assert run_jobs(jobs, workers, reported.append) == {"a": 1, "b": 11, "c": 112}
    assert reported == [1, 11, 112]


def test_workers_are_used_again(workers):
    for number in range(3):
        assert run_jobs({"a": Job(partial(add, number))}, workers, print) == {"a": number}


def test_the_error_of_a_job_is_raised(workers):
    jobs: dict[Key, Job] = {"a": Job(partial(fail, "the disk is blue")), "b": Job(partial(add, 1), ("a",))}
    with pytest.raises(ValueError, match="the disk is blue"):
        run_jobs(jobs, workers, print)


def test_jobs_in_a_circle_are_refused(workers):
    with pytest.raises(RuntimeError, match="need each other: a, b"):
        run_jobs({"a": Job(partial(add, 1), ("b",)), "b": Job(partial(add, 1), ("a",))}, workers, print)


def test_a_worker_that_dies_is_reported_with_a_remedy(tmp_path):
    with start_workers(2, (), tmp_path) as workers, pytest.raises(RuntimeError, match=r"exit code 7.*fewer --jobs"):
        run_jobs({"a": Job(die)}, workers, print)


def test_an_error_of_the_program_in_a_worker_is_written_to_its_file(tmp_path):
    with start_workers(2, (), tmp_path) as workers, pytest.raises(RuntimeError, match=r"see .*worker_1\.log"):
        run_jobs({"a": Job(divide)}, workers, print)
    assert "ZeroDivisionError" in (tmp_path / "worker_1.log").read_text(encoding="utf-8")


def test_each_worker_has_one_gpu(tmp_path):
    with start_workers(2, (3, 5), tmp_path) as workers:
        found = run_jobs({"a": Job(gpu), "b": Job(gpu)}, workers, lambda result: None)
    assert sorted(found.values()) == [(3,), (5,)]
