"""Where a training stands: what an interrupted one goes on from, to end with the same bytes."""

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
    """What is done: the rounds that are over, a row each as in train_log.jsonl, and a part of the one that runs."""

    history: list[dict[str, Any]] = field(default_factory=list)
    steps: int = 0  # of the round that runs, as are:
    loss: float = 0.0  # summed over its examples
    examples: int = 0
    seconds: float = 0.0

    def add(self, loss: float, examples: int, seconds: float) -> None:
        """Count a step with its mean loss."""
        self.steps += 1
        self.loss += loss * examples
        self.examples += examples
        self.seconds += seconds

    def end_round(self, epoch: int, step: int, scores: Mapping[str, float]) -> None:
        """Add the row of the round that ran up to an epoch's end, and begin the next."""
        loss, seconds = round(self.loss / self.examples, 6), round(self.seconds, 1)
        self.history.append({"epoch": epoch, "step": step, "loss": loss, **scores, "seconds": seconds})
        self.steps, self.loss, self.examples, self.seconds = 0, 0.0, 0, 0.0

    @property
    def best_f1(self) -> float:
        return max((row["dev_f1"] for row in self.history), default=0.0)

    @property
    def rounds_since_best(self) -> int:
        """Return how many rounds brought no better dev F1; 0 as long as no span was found."""
        scores = [row["dev_f1"] for row in self.history]
        return len(scores) - 1 - scores.index(self.best_f1) if self.best_f1 > 0 else 0


def save_state(path: Path, training: str, progress: TrainingProgress, learner: Learner) -> None:
    """Write the state of the training that has the fingerprint `training`; the file is replaced only by a whole one."""
    state = {"training": training, "progress": asdict(progress), **learner.state()}
    with replace_file(path) as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):  # a full disk, of which torch says "unexpected pos"
                raise error.__context__ from None
            raise


def load_state(path: Path, training: str, learner: Learner) -> TrainingProgress:
    """Return what was done when the state was saved, and bring `learner` there; nothing where there is none."""
    if not path.is_file():
        return TrainingProgress()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise ValueError(f"{path} cannot be read ({reason}): delete it, and the training begins anew") from None
    if state["training"] != training:
        return TrainingProgress()
    learner.set_state(state)
    return TrainingProgress(**state["progress"])
