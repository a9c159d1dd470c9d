"""A dataset with the results of s1, s2 and s3, dev and test sentences, and a tiny encoder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.builders import ENGLISH, call, write_rows
from tests.helpers.span_models import make_encoder, words_of
from tests.helpers.workspace import Workspace

STEPS = 6  # of a training; it is evaluated after each three
EVALUATED_AFTER = "utils.ner.training.settings.STEPS_BETWEEN_EVALUATIONS"  # the tests' number replaces 50
SOME = {"sizes": "250,1000", "seeds": "1,2", "only": "fusion,syn_fusion"}


@pytest.fixture(scope="session")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The English dataset after s1, s2 and s3; half of its sentences are dev, and the others are test."""
    work = Workspace(tmp_path_factory.mktemp("annotated"), ENGLISH)
    work.annotate()
    write_rows(work.dataset / "dev.jsonl", ENGLISH.rows[::2])
    write_rows(work.dataset / "test.jsonl", ENGLISH.rows[1::2])
    make_encoder(work.folder / "encoder", words_of(ENGLISH.rows))
    return work


@pytest.fixture
def work(annotated: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the annotated dataset."""
    return copied(annotated, tmp_path)


@pytest.fixture(scope="session")
def finished(annotated: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the annotated dataset after an ablation with two sizes, two seeds and three variants."""
    work = copied(annotated, tmp_path_factory.mktemp("finished"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EVALUATED_AFTER, STEPS // 2)
        call("ablate", **{**flags_of(work), **SOME})
    return work


@pytest.fixture
def ablate(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that runs an ablation in this process; its trainings are evaluated after a few steps."""
    monkeypatch.setattr(EVALUATED_AFTER, STEPS // 2)
    return lambda work, **values: call("ablate", **{**flags_of(work), **values})


def copied(work: Workspace, folder: Path) -> Workspace:
    """Return a copy of a dataset with its results and its encoder."""
    copy = Workspace(folder, ENGLISH)
    shutil.copytree(work.folder, folder, dirs_exist_ok=True)
    return copy


def flags_of(work: Workspace) -> dict[str, Any]:
    """Return the flags of an ablation with short trainings."""
    how = {"n_gpu": -1, "epochs": 1, "min_steps": STEPS, "lr": 0.01, "head_lr": 0.01, "adversarial": 0}
    return {**work.data, "from_pretrained": work.folder / "encoder", **how, "base_trials": 1, "jobs": 1}
