"""Training of a span model: rounds of epochs, the best by dev F1 kept, resumable after each round."""

from __future__ import annotations

import logging
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from utils.jsonl import read_json, replacing, write_json, write_rows
from utils.ner.checkpoint import save_model
from utils.ner.config import NerConfig
from utils.ner.encoder import checkpoint_gradients, load_encoder, load_tokenizer, max_pieces
from utils.ner.encoding import WordEncoder
from utils.ner.evaluation import evaluate
from utils.ner.examples import has_nested_spans, make_examples, shuffled_batches
from utils.ner.learner import Learner
from utils.ner.metrics import Report
from utils.ner.model import SpanModel
from utils.ner.predictor import SpanNer
from utils.ner.training_data import NerData
from utils.ner.training_record import BEST, LAST, LOG, RECORD, TrainSettings, make_plan

log = logging.getLogger(__name__)

STATE = "state.pt"
EVALUATION_BATCH = 16


@dataclass(frozen=True, slots=True)
class TrainRun:
    """How a training is run: what changes nothing in its result."""

    encoder: str
    folder: Path
    device: torch.device
    checkpoint_gradients: bool = False  # less memory, more time


class Trainer:
    """A training in `folder`: `best/` is the released checkpoint, `last/` what an interrupted run goes on from."""

    def __init__(self, data: NerData, settings: TrainSettings, run: TrainRun) -> None:
        torch.manual_seed(settings.seed)
        self.data = data
        self.settings = settings
        self.folder = run.folder
        model = SpanModel(load_encoder(run.encoder), _config(data, settings)).to(run.device)
        tokenizer = load_tokenizer(run.encoder)
        words = WordEncoder(tokenizer, max_pieces(model.bert))
        self.examples = make_examples(data.train, words, data.labels.labels)
        self.plan = make_plan(settings, len(self.examples))
        if run.checkpoint_gradients:
            checkpoint_gradients(model.bert)
        self.learner = Learner(model, words, data.labels.weights(), settings, self.plan)
        self.ner = SpanNer(self.learner.best_guess, tokenizer)
        self.history: list[dict[str, Any]] = []  # a row a round, as in train_log.jsonl

    def train(self, record: Mapping[str, Any]) -> None:
        """Train, or go on where an interrupted run stopped. `record` is what best/training.json says of the data."""
        if (self.folder / BEST / RECORD).is_file():
            self._resume()
        else:
            write_json(self.folder / BEST / RECORD, {**record, "finished": False})
        with tqdm(total=self.plan.steps, initial=self._steps_done, desc="training", unit="step") as bar:
            while not self._is_done:
                started = time.monotonic()
                loss = self._train_round(bar)
                report = evaluate(self.ner, self.data.dev, batch_size=EVALUATION_BATCH)
                seconds = round(time.monotonic() - started, 1)
                self._end_round(record, loss, report, seconds)
                bar.set_postfix(loss=f"{loss:.3f}", dev_f1=f"{100 * report.micro.f1:.2f}")
        self._finish(record)

    @property
    def _steps_done(self) -> int:
        return len(self.history) * self.plan.steps_per_round

    @property
    def _best_f1(self) -> float:
        return max((row["dev_f1"] for row in self.history), default=0.0)

    @property
    def _is_done(self) -> bool:
        """Tell whether all rounds are over, or too many in a row without a better dev F1."""
        if len(self.history) == self.plan.rounds:
            return True
        scores = [row["dev_f1"] for row in self.history]
        return self._best_f1 > 0 and len(scores) - 1 - scores.index(self._best_f1) >= self.settings.patience

    def _train_round(self, bar: tqdm[Any]) -> float:
        """Train the epochs of the next round; return the mean loss of a sentence."""
        self.learner.model.train()
        first = len(self.history) * self.plan.epochs_per_round
        total = 0.0
        for epoch in range(first, first + self.plan.epochs_per_round):
            rng = random.Random(f"{self.settings.seed} {epoch}")
            for batch in shuffled_batches(self.examples, self.plan.step_size, rng):
                total += len(batch) * self.learner.step(batch)
                bar.update()
        return total / (len(self.examples) * self.plan.epochs_per_round)

    def _end_round(self, record: Mapping[str, Any], loss: float, report: Report, seconds: float) -> None:
        """Save the model if it is the best so far, then the state to go on from, then the log."""
        scores = {f"dev_{name}": round(getattr(report.micro, name), 6) for name in ("precision", "recall", "f1")}
        is_best = scores["dev_f1"] > self._best_f1
        epoch = (len(self.history) + 1) * self.plan.epochs_per_round
        step = self._steps_done + self.plan.steps_per_round
        self.history.append({"epoch": epoch, "step": step, "loss": round(loss, 6), **scores, "seconds": seconds})
        if is_best:
            self._save_best({**record, "best_epoch": epoch, "dev": report.to_dict(), "finished": False})
        self._save_state()
        write_rows(self.folder / LOG, self.history)

    def _save_best(self, record: Mapping[str, Any]) -> None:
        save_model(self.ner.model, self.ner.tokenizer, self.folder / BEST)
        write_json(self.folder / BEST / RECORD, record)

    def _save_state(self) -> None:
        state = {"history": self.history, **self.learner.state()}
        with replacing(self.folder / LAST / STATE) as file:
            torch.save(state, file)

    def _resume(self) -> None:
        path = self.folder / LAST / STATE
        if not path.is_file():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.learner.set_state(state)
        self.history = state["history"]
        log.info("going on after epoch %d, from %s", self.history[-1]["epoch"], path)

    def _finish(self, record: Mapping[str, Any]) -> None:
        """Mark best/ as finished, and remove the state that nothing goes on from any more."""
        if self._best_f1 == 0:
            log.warning(
                "no span of dev was found after any epoch: the last model is kept; try more epochs or sentences"
            )
            report = evaluate(self.ner, self.data.dev, batch_size=EVALUATION_BATCH)
            self._save_best({**record, "best_epoch": self.history[-1]["epoch"], "dev": report.to_dict()})
        final = read_json(self.folder / BEST / RECORD)
        write_json(self.folder / BEST / RECORD, {**final, "finished": True})
        shutil.rmtree(self.folder / LAST, ignore_errors=True)
        log.info(
            "trained on %d sentences in %d steps: dev F1 %.2f at epoch %d -> %s",
            len(self.data.train),
            self._steps_done,
            100 * self._best_f1,
            final["best_epoch"],
            self.folder / BEST,
        )


def _config(data: NerData, settings: TrainSettings) -> NerConfig:
    return NerConfig(
        labels=data.labels.labels,
        num_target_labels=data.labels.num_targets,
        span_model=settings.span_model,
        nested=has_nested_spans(data.train, data.labels.targets),
        dense=data.dense,
    )
