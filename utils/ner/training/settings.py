"""The settings of a training, and the plan of its steps that follows from them. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from utils.ner.cell_targets import SyntheticTargets
from utils.ner.config import Architecture

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Order = Literal["mixed", "synthetic_first"]

LARGE = 1000  # sentences; above this, the paper's batch size is 8 instead of 4
STEPS_BETWEEN_EVALUATIONS = 50  # at least; on a tiny set, evaluations after each epoch would take most of the time
EVALUATION_COST = 0.25  # time to evaluate a sentence, divided by the time to train on it
EVALUATION_SHARE = 1 / 6  # maximum share of the training time, unless this gives fewer rounds than MIN_ROUNDS
MIN_ROUNDS = 5  # minimum number of models to choose the best one from


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Hyper-parameters. They differ from the paper's, so that training works with few sentences and any encoder.

    The paper has an encoder lr of 2e-5, 120 epochs, 190 warm-up steps and no early stopping. Here a higher rate needs
    fewer epochs, `min_steps` gives tiny sets enough steps, and the warm-up is at most a tenth of all steps.
    """

    span_model: Architecture = "knowfree"
    seed: int = 0
    epochs: int = 12
    min_steps: int = 200
    batch_size: int | None = None  # None: 4, or 8 above 1000 sentences
    encoder_layers: int | None = None  # number of lowest layers that are kept; None: all
    encoder_lr: float = 2e-4  # of the top layer
    layer_decay: float = 0.9  # learning rate of an encoder layer / that of the layer above
    head_lr: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 190
    clip_norm: float = 5.0
    accumulate: int = 1  # batches per step
    synthetic_weight: float = 1.0  # weight of synthetic sentences in the loss
    synthetic_targets: SyntheticTargets = "soft"  # how their target labels are learnt, if s7 wrote scores
    order: Order = "mixed"  # synthetic_first: the first half of the epochs has only synthetic sentences
    precision: Precision = "auto"  # of the forward pass; saved models are float32, and evaluated in it
    ema: float = 0.99  # decay of the moving average of the weights, which is the saved model; 0: no average
    adversarial: float = 0.05  # perturbation of a sentence's embeddings, relative to their norm; 0: none
    patience: int = 5  # evaluations without a better dev F1 before training ends; counted from the first F1 above 0

    def __post_init__(self) -> None:
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}; it must be at least 0 (no average) and below 1, such as 0.99")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay is {self.layer_decay}; it must be above 0 and at most 1 (one rate for all)")
        if self.synthetic_weight <= 0:
            raise ValueError(
                f"synthetic_weight is {self.synthetic_weight}; it must be above 0; to exclude synthetic sentences, "
                "train on data without them"
            )


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The numbers of steps and evaluations of a training. A round consists of one or more epochs and an evaluation."""

    batch_size: int
    step_size: int  # examples per step: those of one or several batches
    steps_per_epoch: int
    epochs: int
    rounds: int

    @property
    def steps(self) -> int:
        """The number of steps in the training, if it does not end early."""
        return self.steps_per_epoch * self.epochs

    def epochs_of(self, number: int) -> range:
        """Return the epochs of a round, both counted from 0; 7 epochs in 2 rounds are 0 … 2 and 3 … 6."""
        return range(number * self.epochs // self.rounds, (number + 1) * self.epochs // self.rounds)

    def warmup_steps(self, settings: TrainSettings) -> int:
        """Return the number of warm-up steps: those of the settings, but at most a tenth of all steps."""
        return min(settings.warmup_steps, self.steps // 10)

    def describe(self, settings: TrainSettings) -> str:
        """Return the plan as a line that gives the reason for each number that differs from the settings."""
        reasons = ""
        if self.epochs > settings.epochs:
            reasons += f"; not --epochs={settings.epochs}, since --min_steps={settings.min_steps}"
        if (warmup := self.warmup_steps(settings)) < settings.warmup_steps:
            reasons += f"; warm-up {warmup} steps, a tenth of all, not --warmup_steps={settings.warmup_steps}"
        return f"{self.epochs} epochs of {self.steps_per_epoch} steps, {self.rounds} evaluations{reasons}"


def make_plan(settings: TrainSettings, examples: int, dev: int = 0) -> TrainingPlan:
    """Return the plan for the numbers of training examples and of dev sentences.

    It depends on these numbers and not on measured times, so that a training has the same plan on every machine. With
    the default settings, 250 examples and 50 dev sentences: 63 steps of 4 examples per epoch, 12 epochs; an evaluation
    takes as long as 50 * 0.25 / 4 = 3 steps, so there is one after every epoch: 12 rounds of 63 steps. With 270 dev
    sentences, it takes as long as 17 steps, more than a sixth of the time, so there is one after every second epoch.

    The epochs are those of the settings, unless `min_steps` needs more: then they are rounded up to equal rounds.
    """
    batch_size = settings.batch_size or (8 if examples > LARGE else 4)
    step_size = batch_size * settings.accumulate
    steps_per_epoch = ceil(examples / step_size)
    needed = ceil(settings.min_steps / steps_per_epoch)
    epochs = max(settings.epochs, needed)
    evaluation = dev * EVALUATION_COST / step_size  # duration in steps
    affordable = ceil(evaluation * (1 - EVALUATION_SHARE) / EVALUATION_SHARE / steps_per_epoch)
    epochs_per_round = max(ceil(STEPS_BETWEEN_EVALUATIONS / steps_per_epoch), min(affordable, epochs // MIN_ROUNDS))
    if needed > settings.epochs:
        epochs = epochs_per_round * ceil(needed / epochs_per_round)
    return TrainingPlan(batch_size, step_size, steps_per_epoch, epochs, max(1, epochs // epochs_per_round))
