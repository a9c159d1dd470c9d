"""The saved state of an interrupted training: complete or absent, and only for this training."""

from __future__ import annotations

import errno
import os

import pytest
import torch

from utils.ner.training import state as state_module
from utils.ner.training.learner import Learner
from utils.ner.training.settings import TrainSettings, make_plan
from utils.ner.training.state import TrainingProgress, load_state, save_state


@pytest.fixture
def learner(make_ner):
    ner, settings = make_ner(), TrainSettings()
    return Learner(ner.model, ner.words, [1.0, 1.0, 1.0], settings, make_plan(settings, 8))


def test_progress_counts_a_round_and_begins_the_next():
    progress = TrainingProgress()
    progress.add(loss=2.0, examples=4, seconds=1.5)
    progress.add(loss=1.0, examples=2, seconds=0.5)
    assert progress.steps == 2
    progress.end_round(1, 2, {"dev_f1": 0.5})
    assert progress.history == [{"epoch": 1, "step": 2, "loss": round(10 / 6, 6), "dev_f1": 0.5, "seconds": 2.0}]
    assert (progress.steps, progress.loss, progress.examples, progress.seconds) == (0, 0.0, 0, 0.0)


def test_rounds_without_a_better_score_are_counted_from_the_first_above_zero():
    def waited(*scores):
        return TrainingProgress([{"dev_f1": score} for score in scores]).rounds_since_best

    assert [waited(0.0, 0.0, 0.0), waited(0.0, 0.1), waited(0.2, 0.2, 0.1), waited(0.1, 0.3)] == [0, 0, 2, 0]


def test_a_saved_state_is_restored(learner, tmp_path):
    progress = TrainingProgress([{"dev_f1": 0.5}], steps=3, loss=1.25, examples=12, seconds=2.0)
    save_state(tmp_path / "state.pt", "one", progress, learner)
    torch.nn.init.zeros_(learner.model.W)
    assert load_state(tmp_path / "state.pt", "one", learner) == progress
    assert learner.model.W.abs().sum() > 0


def test_the_state_of_another_training_is_ignored(learner, tmp_path):
    save_state(tmp_path / "state.pt", "one", TrainingProgress(steps=3), learner)
    assert load_state(tmp_path / "state.pt", "another", learner) == TrainingProgress()
    assert load_state(tmp_path / "missing.pt", "one", learner) == TrainingProgress()


@pytest.mark.parametrize("damage", [b"", b"no state", None])
def test_a_damaged_state_is_reported_with_a_remedy(learner, tmp_path, damage):
    path = tmp_path / "state.pt"
    save_state(path, "one", TrainingProgress(), learner)
    path.write_bytes(path.read_bytes()[:-500] if damage is None else damage)
    with pytest.raises(ValueError, match=r"state\.pt cannot be read \(.*\): delete it to start the training again"):
        load_state(path, "one", learner)


def test_a_full_disk_is_reported_as_such_and_keeps_the_old_state(learner, tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    save_state(path, "one", TrainingProgress(steps=1), learner)
    real = torch.save

    class FullDisk:
        def write(self, data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def flush(self):
            pass

    monkeypatch.setattr(state_module.torch, "save", lambda state, file: real(state, FullDisk()))  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space left on device") as caught:
        save_state(path, "one", TrainingProgress(steps=2), learner)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert load_state(path, "one", learner).steps == 1
    assert [file.name for file in tmp_path.iterdir()] == ["state.pt"]
