"""The saved state of a training: an interrupted training resumes from it, and ends with the same bytes."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from utils.files.jsonl import replace_file
from utils.ner.training.learner import Learner


@dataclass(slots=True)
class TrainingProgress:
    """The finished rounds, with a row each as in train_log.jsonl, and the steps of the current round so far."""

    history: list[dict[str, Any]] = field(default_factory=list)
    # the next four belong to the current round
    steps: int = 0
    loss: float = 0.0  # sum over its examples so far
    examples: int = 0
    seconds: float = 0.0

    def add(self, loss: float, examples: int, seconds: float) -> None:
        """Count a step; `loss` is the mean over its examples."""
        self.steps += 1
        self.loss += loss * examples
        self.examples += examples
        self.seconds += seconds

    def end_round(self, epoch: int, step: int, scores: Mapping[str, float]) -> None:
        """Add the row of the current round, which ended after `epoch` and `step`, and begin the next round."""
        loss, seconds = round(self.loss / self.examples, 6), round(self.seconds, 1)
        self.history.append({"epoch": epoch, "step": step, "loss": loss, **scores, "seconds": seconds})
        self.steps, self.loss, self.examples, self.seconds = 0, 0.0, 0, 0.0

    @property
    def best_f1(self) -> float:
        """The best dev F1 so far, or 0."""
        return max((row["dev_f1"] for row in self.history), default=0.0)

    @property
    def rounds_since_best(self) -> int:
        """The number of rounds since the one with the best dev F1; 0 until a span is found."""
        scores = [row["dev_f1"] for row in self.history]
        return len(scores) - 1 - scores.index(self.best_f1) if self.best_f1 > 0 else 0


def save_state(path: Path, training: str, progress: TrainingProgress, learner: Learner) -> None:
    """Write the state of the training with the fingerprint `training`, replacing an older file once it is complete."""
    state = {"training": training, "progress": asdict(progress), **learner.state()}
    with replace_file(path) as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):  # a full disk, which torch reports as "unexpected pos"
                raise error.__context__ from None
            raise


def load_state(path: Path, training: str, learner: Learner) -> TrainingProgress:
    """Restore `learner` from the saved state and return its progress; without a saved state, return a new progress.

    The state of another training is ignored. Raises ValueError if the file cannot be read.
    """
    if not path.is_file():
        return TrainingProgress()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ValueError(f"{path} cannot be read ({reason}): delete it to start the training again") from None
    if state["training"] != training:
        return TrainingProgress()
    learner.set_state(state)
    return TrainingProgress(**state["progress"])
