"""A span model that learns: its optimiser, the course of its rates, and the average of its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch

from utils.ner.averaging import moving_average
from utils.ner.encoding import WordEncoder
from utils.ner.examples import Example, dense_targets, step_parts
from utils.ner.model import SpanModel, span_loss
from utils.ner.optim import make_optimizer, make_schedule, random_states, set_random_states, trainable
from utils.ner.precision import autocast, computing_dtype, loss_scaler
from utils.ner.training_record import Plan, TrainSettings


class Learner:
    """Takes steps of training. `weights` are those of the labels in the loss; the model lies on its device already."""

    def __init__(
        self, model: SpanModel, words: WordEncoder, weights: Sequence[float], settings: TrainSettings, plan: Plan
    ) -> None:
        self.model = model
        self.words = words
        self.settings = settings
        self.plan = plan
        self.device = next(model.parameters()).device
        self.weights = torch.tensor(weights, device=self.device)
        self.optimizer = make_optimizer(model, settings)
        warmup = min(settings.warmup_steps, plan.steps // 10)
        self.schedule = make_schedule(self.optimizer, steps=plan.steps, warmup=warmup)
        self.dtype = computing_dtype(settings.precision, self.device)
        self.scaler = loss_scaler(self.dtype, self.device)
        self.average = moving_average(model, settings.ema) if settings.ema else None

    @property
    def best_guess(self) -> SpanModel:
        """Return the model that is evaluated and released: the average where there is one."""
        return cast(SpanModel, self.average.module) if self.average else self.model

    def step(self, examples: Sequence[Example]) -> float:
        """Learn from some examples at once; return their mean loss.

        They pass through the model in parts that its memory holds, and count as if they were one batch.
        """
        total = 0.0
        for part in step_parts(examples, self.plan.batch_size):
            loss = self._loss(part) * (len(part) / len(examples))
            self.scaler.scale(loss).backward()
            total += loss.item()
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(trainable(self.model), self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.optimizer.zero_grad()
        if self.average:
            self.average.update_parameters(self.model)
        return total

    def _loss(self, examples: Sequence[Example]) -> torch.Tensor:
        batch = self.words.collate([example.window for example in examples]).to(self.device)
        targets = dense_targets(examples, len(self.weights)).to(self.device)
        with autocast(self.dtype, self.device):
            logits = self.model(batch)
        weights = torch.tensor([example.weight for example in examples], device=self.device)
        return span_loss(logits.float(), targets, weights[:, None, None, None] * self.weights)

    def state(self) -> dict[str, Any]:
        """Return all that later steps depend on, in tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "random": random_states(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        if self.average:
            self.average.load_state_dict(state["average"])
        set_random_states(state["random"])
