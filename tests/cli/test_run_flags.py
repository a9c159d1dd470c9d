"""The flags that say where a script computes, and how much of its work it does or estimates."""

from __future__ import annotations

import pytest

from utils.cli.exits import UsageError
from utils.cli.run_flags import engine
from utils.compute.engine import Engine


def test_each_worker_has_as_many_gpus_as_are_listed(parse):
    args = parse("--engine=ray", "--num_workers=8", "--n_gpu=0,1")
    assert engine(args) == Engine("ray", 8, 2)
    assert engine(parse()) == Engine("local", None, 1)


def test_workers_without_ray_are_refused(parse):
    with pytest.raises(UsageError, match="--num_workers needs --engine=ray"):
        engine(parse("--num_workers=2"))
