"""The GPUs that a user asks for: existing ones, the CPU instead of the default, or an error."""

from __future__ import annotations

import pytest

from utils.compute.gpus import existing_gpus


@pytest.mark.parametrize(
    ("requested", "number", "usable"),
    [((), 0, []), ((), 2, []), ((0,), 1, [0]), ((1,), 2, [1]), ((2, 0), 3, [2, 0]), ((0,), 0, [])],
)
def test_requested_gpus_that_exist_are_used_and_the_default_may_be_missing(requested, number, usable):
    assert existing_gpus(requested, number) == usable


@pytest.mark.parametrize(
    ("requested", "number", "message"),
    [
        (
            (5,),
            1,
            r"--n_gpu=5: there is no GPU 5 that can be used \(found only 1, counted from 0\); choose others, or --n",
        ),
        ((1,), 0, r"--n_gpu=1: there is no GPU 1 that can be used \(found none\)"),
        ((0, 1), 1, r"--n_gpu=0,1: there is no GPU 1"),
        ((0, 1), 0, r"--n_gpu=0,1: there is no GPU 0"),
    ],
)
def test_a_missing_gpu_that_is_not_the_default_is_an_error(requested, number, message):
    with pytest.raises(ValueError, match=message):
        existing_gpus(requested, number)
