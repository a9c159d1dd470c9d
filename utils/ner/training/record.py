"""What a training is made from: its settings and data, and the record of them in `training.json`.

Standard library only, so that a training that is already finished is recognised without loading torch.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any, Literal

from utils import __version__
from utils.dataset.records import Sentence, text_hash
from utils.files.jsonl import read_json
from utils.files.manifest import fingerprint, model_identity
from utils.ner.config import Architecture
from utils.ner.training.data import NerData

log = logging.getLogger(__name__)

Precision = Literal["auto", "fp32", "bf16", "fp16"]

BEST, LAST, RECORD = "best", "last", "training.json"
STATE = "state.pt"  # in last/: all that an interrupted training goes on from
SAVE_MINUTES = 10.0
LOG, TEST_REPORT, SEEDS = "train_log.jsonl", "test_report.json", "seeds.json"
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


def training_record(data: NerData, settings: TrainSettings, encoder: str) -> dict[str, Any]:
    """Return the record of a training, without times, so that the same training has the same record."""
    made_from = {
        "settings": asdict(settings),
        "labels": list(data.labels.labels),
        "num_target_labels": data.labels.num_targets,
        "extension_counts": list(data.labels.extension_counts),
        "encoder": fingerprint(model_identity(encoder)),
        "data": {"train": data_fingerprint(data.train), "dev": data_fingerprint(data.dev)},
    }
    return {
        "step": "train_ner",
        "version": __version__,
        **made_from,
        "fingerprint": fingerprint(made_from),
        "counts": {"train": len(data.train), "dev": len(data.dev)},
        "sentences": sorted({text_hash(sentence.tokens) for sentence in data.source}),
    }


def remove_state(folder: Path) -> None:
    """Remove what a training that is finished would have gone on from; it is some times the model's size."""
    (folder / LAST / STATE).unlink(missing_ok=True)


def discard_training(folder: Path) -> None:
    """Remove what a training left in `folder`."""
    for part in (BEST, LAST):
        shutil.rmtree(folder / part, ignore_errors=True)
    for file in (LOG, TEST_REPORT, SEEDS):
        (folder / file).unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of a training; raise ValueError where the file holds something else."""
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not a record of train_ner.py; give --overwrite to replace the training")
    return found


def is_finished(folder: Path, record: dict[str, Any]) -> bool:
    """Tell whether `folder` holds the finished training of `record`; raise ValueError where it holds another."""
    path = folder / BEST / RECORD
    if not path.is_file():
        return False
    found = read_record(path)
    if found.get("fingerprint") != record["fingerprint"]:
        differing = ", ".join(key for key in COMPARED if found.get(key) != record[key]) or "fingerprint"
        raise ValueError(f"{folder} holds a training that differs in: {differing}; give --overwrite to replace it")
    return bool(found.get("finished"))


COMPARED = ("settings", "labels", "num_target_labels", "extension_counts", "encoder", "data")


def data_fingerprint(sentences: Sequence[Sentence]) -> str:
    """Return what tells the sentences of a training, with their spans, from others."""
    return fingerprint([_key(sentence) for sentence in sentences])


def _key(sentence: Sentence) -> list[object]:
    spans = [[span.start, span.end, span.label] for span in sentence.spans]
    return [sentence.tokens, spans, *(["synthetic"] if sentence.is_synthetic else [])]
