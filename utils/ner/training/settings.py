"""The settings of a training, and the plan of its steps that follows from them. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from utils.ner.config import Architecture

Precision = Literal["auto", "fp32", "bf16", "fp16"]

LARGE = 1000  # sentences; above, the paper's batch size is 8 instead of 4
STEPS_BETWEEN_EVALUATIONS = 50  # at least: one evaluation an epoch would be most of the work on a tiny set
SENTENCES_LEARNT = 0.25  # in the time in which one is evaluated
EVALUATION_SHARE = 1 / 3  # of the time of a training, at most, unless that leaves too few models to choose from:
FEWEST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Hyper-parameters. Where they differ from the paper's, it is to learn from few sentences and with any encoder.

    Paper: encoder lr 2e-5, 120 epochs, 190 steps of warm-up, no early stopping. A higher rate needs fewer epochs;
    `min_steps` keeps a tiny set from ending before it has learnt; the warm-up is at most a tenth of all steps.
    """

    span_model: Architecture = "knowfree"
    seed: int = 0
    epochs: int = 12
    min_steps: int = 200
    batch_size: int | None = None  # None: 4, above 1000 sentences 8
    encoder_layers: int | None = None  # the lowest so many; None: all
    encoder_lr: float = 2e-4  # of the top layer
    layer_decay: float = 0.9  # of the learning rate from a layer of the encoder to the one below it
    head_lr: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 190
    clip_norm: float = 5.0
    accumulate: int = 1  # batches a step
    synthetic_weight: float = 1.0  # of a synthetic sentence in the loss
    precision: Precision = "auto"  # of the forward pass; a released model is float32, and evaluated as such
    ema: float = 0.99  # decay of the moving average of the weights that is released; 0: the weights themselves
    adversarial: float = 0.05  # share of its embeddings by which a sentence is made harder; 0: it is not
    patience: int = 5  # evaluations without a better dev F1; counted from the first above 0

    def __post_init__(self) -> None:
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}; it must be at least 0 (no average) and below 1, such as 0.99")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay is {self.layer_decay}; it must be over 0 and at most 1 (one rate for all)")
        if self.synthetic_weight <= 0:
            raise ValueError(
                f"synthetic_weight is {self.synthetic_weight}; it must be over 0: train on data without "
                "synthetic sentences instead"
            )


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How many steps a training takes. A round is some whole epochs with an evaluation after them."""

    batch_size: int
    step_size: int  # examples a step: a batch, or several
    steps_per_epoch: int
    epochs_per_round: int
    rounds: int

    @property
    def steps_per_round(self) -> int:
        return self.steps_per_epoch * self.epochs_per_round

    @property
    def steps(self) -> int:
        return self.steps_per_round * self.rounds


def make_plan(settings: TrainSettings, examples: int, dev: int = 0) -> TrainingPlan:
    """Return the plan for numbers of training examples and of dev sentences.

    It follows from counts alone, and not from times, so that the same training has the same plan on each machine.
    """
    batch_size = settings.batch_size or (8 if examples > LARGE else 4)
    step_size = batch_size * settings.accumulate
    steps_per_epoch = ceil(examples / step_size)
    epochs = max(settings.epochs, ceil(settings.min_steps / steps_per_epoch))
    evaluation = dev * SENTENCES_LEARNT / step_size  # as long as so many steps
    affordable = ceil(evaluation * (1 - EVALUATION_SHARE) / EVALUATION_SHARE / steps_per_epoch)
    epochs_per_round = max(ceil(STEPS_BETWEEN_EVALUATIONS / steps_per_epoch), min(affordable, epochs // FEWEST_ROUNDS))
    return TrainingPlan(batch_size, step_size, steps_per_epoch, epochs_per_round, ceil(epochs / epochs_per_round))
