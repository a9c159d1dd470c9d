"""The training of a span model in rounds of epochs. The best model on dev is kept, and training can be resumed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from utils.compute.checkpoint_errors import TranslatedErrors
from utils.compute.progress import Progress
from utils.dataset.scores import RATIOS
from utils.files.jsonl import read_json, write_json, write_rows
from utils.ner.cell_targets import cell_targets
from utils.ner.config import NerConfig
from utils.ner.model.checkpoint import save_model
from utils.ner.model.encoder import checkpoint_gradients, load_encoder, load_tokenizer, max_pieces
from utils.ner.model.span_model import SpanModel
from utils.ner.model.word_pieces import WordEncoder
from utils.ner.prediction.predictor import SpanNer
from utils.ner.scoring.evaluation import evaluate_best
from utils.ner.scoring.metrics import ScoreReport
from utils.ner.training.data import NerData
from utils.ner.training.examples import Examples, has_nested_spans, indices_of_epoch, shuffled_batches
from utils.ner.training.learner import Learner, seed_all
from utils.ner.training.record import BEST, LAST, LOG, RECORD, SAVE_MINUTES, STATE, remove_state
from utils.ner.training.settings import TrainSettings, make_plan
from utils.ner.training.state import TrainingProgress, load_state, save_state
from utils.wording import counted

log = logging.getLogger(__name__)

EVALUATION_BATCH = 16  # sentences


@dataclass(frozen=True, slots=True)
class TrainRun:
    """How a training is run: settings that do not change its result."""

    encoder: str
    folder: Path
    device: torch.device
    checkpoint_gradients: bool = False  # less memory, more time
    save_minutes: float = SAVE_MINUTES  # between two saved states, in addition to those after each evaluation


class Trainer:
    """Trains in `run.folder`: `best/` is the best checkpoint; `last/` is the newest one, with the saved state.

    `record` describes data and settings, and is written to `training.json` in both.
    """

    def __init__(self, data: NerData, settings: TrainSettings, run: TrainRun, record: Mapping[str, Any]) -> None:
        seed_all(settings.seed)
        self.data = data
        self.settings = settings
        self.record = {**record, "finished": False}
        self.folder = run.folder
        self.save_seconds = 60 * run.save_minutes
        model = SpanModel(load_encoder(run.encoder, settings.encoder_layers), _config(data, settings)).to(run.device)
        tokenizer = load_tokenizer(run.encoder)
        words = WordEncoder(tokenizer, max_pieces(model.bert))
        targets_of = partial(cell_targets, targets=data.labels.targets, kind=settings.synthetic_targets)
        self.examples = Examples(data.train, words, data.labels.labels, settings.synthetic_weight, targets_of)
        self.plan = make_plan(settings, len(self.examples), len(data.dev))
        if run.checkpoint_gradients:
            checkpoint_gradients(model.bert)
        self.learner = Learner(model, words, data.labels.weights(), settings, self.plan)
        self.ner = SpanNer(self.learner.released_model, tokenizer)
        self.ner.try_out(run.encoder)
        self.progress = TrainingProgress()

    @property
    def history(self) -> list[dict[str, Any]]:
        """A row for each finished round, as in train_log.jsonl."""
        return self.progress.history

    def train(self) -> None:
        """Train, or resume an interrupted training."""
        if (self.folder / BEST / RECORD).is_file():
            self._resume()
        else:
            write_json(self.folder / BEST / RECORD, self.record)
        log.info("training: %s", self.plan.describe(self.settings))
        self.saved_at = time.monotonic()
        with Progress("training", total=self.plan.steps, done=self._steps_done, unit="step") as bar:
            while not self._is_done:
                self._train_round(bar)
                self._end_round()
        self._finish()

    @property
    def _steps_done(self) -> int:
        return self._epochs.start * self.plan.steps_per_epoch + self.progress.steps

    @property
    def _epochs(self) -> range:
        """The epochs of the current round, counted from 0."""
        return self.plan.epochs_of(len(self.history))

    @property
    def _is_done(self) -> bool:
        """Whether all rounds are finished, or `patience` rounds in a row brought no better dev F1."""
        return len(self.history) == self.plan.rounds or self.progress.rounds_since_best >= self.settings.patience

    def _train_round(self, bar: Progress) -> None:
        """Run the remaining steps of the current round; those before an interruption are skipped."""
        self.learner.model.train()
        for indices in islice(self._round(), self.progress.steps, None):
            started = time.monotonic()
            examples = [self.examples[index] for index in indices]
            with TranslatedErrors(_out_of_memory):
                loss = self.learner.step(examples)
            now = time.monotonic()
            self.progress.add(loss, len(examples), now - started)
            bar.advance(note=f"loss {self.progress.loss / self.progress.examples:.3f}")
            if now - self.saved_at >= self.save_seconds:
                self._save_state()

    def _round(self) -> Iterator[list[int]]:
        """Yield the examples of each step of the current round. The seed fixes the random order of each epoch."""
        for epoch in self._epochs:
            indices = indices_of_epoch(self.examples, epoch, self.plan, self.settings.order)
            rng = random.Random(f"{self.settings.seed} {epoch}")
            yield from shuffled_batches(indices, self.examples.lengths, self.plan.step_size, rng)

    def _end_round(self) -> None:
        """Evaluate, save the model as `last/` (and as `best/` if it is the best so far), and then save the state.

        If the run is killed before the state is saved, the rest of the round is trained again, with the same result.
        """
        started = time.monotonic()
        threshold, report = self._evaluate()
        self.progress.seconds += time.monotonic() - started
        scores = {f"dev_{name}": value for name, value in report.micro.rounded().items()}
        is_best = scores["dev_f1"] > self.progress.best_f1
        epoch = self._epochs.stop
        self.progress.end_round(epoch, epoch * self.plan.steps_per_epoch, {**scores, "threshold": threshold})
        if is_best:
            self._save_model(BEST, {"best_epoch": epoch, "dev": report.to_dict()})
        self._save_model(LAST, {"epoch": epoch, "dev": report.to_dict()})
        write_rows(self.folder / LOG, self.history)
        self._save_state()
        self._log_round(is_best)

    def _evaluate(self) -> tuple[float, ScoreReport]:
        """Return the threshold with the best dev F1 and its report, and set the model's threshold to it."""
        threshold, report = evaluate_best(self.ner, self.data.dev, batch_size=EVALUATION_BATCH)
        self.ner.model.config = replace(self.ner.model.config, span_threshold=threshold)
        return threshold, report

    def _log_round(self, is_best: bool) -> None:
        """Log the loss and the dev scores of the last round."""
        row = self.history[-1]
        log.info(
            "epoch %d of at most %d: loss %.3f, dev P %.2f R %.2f F1 %.2f at threshold %.1f%s",
            row["epoch"],
            self.plan.epochs,
            row["loss"],
            *(100 * row[f"dev_{name}"] for name in RATIOS),
            row["threshold"],
            ", the best so far" if is_best else "",
        )
        if self.progress.best_f1 == 0 and len(self.history) == self.settings.patience < self.plan.rounds:
            log.info("--patience=%d is counted from the first dev F1 above 0", self.settings.patience)

    def _save_model(self, name: str, facts: Mapping[str, Any]) -> None:
        """Save the model in `best/` or `last/`, with `facts` added to its record."""
        save_model(self.ner.model, self.ner.tokenizer, self.folder / name)
        write_json(self.folder / name / RECORD, {**self.record, **facts})

    def _save_state(self) -> None:
        save_state(self.folder / LAST / STATE, self.record["fingerprint"], self.progress, self.learner)
        self.saved_at = time.monotonic()

    def _resume(self) -> None:
        """Restore the saved state of an interrupted training, if there is one."""
        path = self.folder / LAST / STATE
        self.progress = load_state(path, self.record["fingerprint"], self.learner)
        if self._steps_done:
            log.info("resuming after step %d of %d, from %s", self._steps_done, self.plan.steps, path)

    def _finish(self) -> None:
        """Record in both checkpoints that the training is finished, and remove the saved state."""
        if self.progress.best_f1 == 0:
            log.warning("no dev span was predicted correctly after any epoch: the last model is kept")
            _, report = self._evaluate()
            self._save_model(BEST, {"best_epoch": self.history[-1]["epoch"], "dev": report.to_dict()})
        for name in (LAST, BEST):  # the best is the last to change: is_finished reads its record
            path = self.folder / name / RECORD
            write_json(path, {**read_json(path), "finished": True})
        remove_state(self.folder)
        log.info(
            "trained on %s in %s: dev F1 %.2f at epoch %d -> %s",
            counted(len(self.data.train), "sentence"),
            counted(self._steps_done, "step"),
            100 * self.progress.best_f1,
            read_json(self.folder / BEST / RECORD)["best_epoch"],
            self.folder / BEST,
        )


def _out_of_memory(error: Exception) -> Exception | None:
    """Return the error for a GPU whose memory is too small for a step; None for other errors."""
    if not isinstance(error, torch.cuda.OutOfMemoryError):
        return None
    return RuntimeError(
        "out of GPU memory: add --checkpoint_gradients, use a smaller --batch_size with a larger --accumulate, or end "
        "other programs on the GPU; the same command continues from the last saved state"
    )


def _config(data: NerData, settings: TrainSettings) -> NerConfig:
    """Return the model's configuration; targets may be nested if they are in the training data."""
    return NerConfig(
        labels=data.labels.labels,
        num_target_labels=data.labels.num_targets,
        span_model=settings.span_model,
        nested=has_nested_spans(data.train, data.labels.targets),
        dense=data.tokenisation.is_dense,
    )
