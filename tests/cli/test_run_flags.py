"""The flags that say where a script computes, and how much of its work it does or estimates."""

from __future__ import annotations

import pytest

from utils.cli.exits import UsageError
from utils.cli.run_flags import engine, repeatable_flags
from utils.compute.engine import Engine


def test_each_worker_has_as_many_gpus_as_are_listed(parse):
    args = parse("--engine=ray", "--num_workers=8", "--n_gpu=0,1")
    assert engine(args) == Engine("ray", 8, 2)
    assert engine(parse()) == Engine("local", None, 1)


def test_workers_without_ray_are_refused(parse):
    with pytest.raises(UsageError, match="--num_workers needs --engine=ray"):
        engine(parse("--num_workers=2"))


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["--mode", "pos", "--n_gpu=", "-1"], ["--mode=pos", "--n_gpu=-1"]),
        (["--limit=3", "--skip", "2", "--plan", "--time=20", "--overwrite", "--debug"], []),
        (["--api_base=http://user:secret@host/v1", "--patience=9"], ["--patience=9"]),
    ],
    ids=["two words", "of one run", "a password"],
)
def test_the_flags_that_repeat_a_run_are_those_that_were_given(parse, words, flags):
    assert repeatable_flags(parse("--save_type_name", "A", *words)) == ["--model_from_pretrained=m", *flags]
