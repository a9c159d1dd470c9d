"""The steps of a training: gradients, optimiser, learning rates and the average of the weights."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from utils.compute.transfers import indices_on, to_device
from utils.ner.model.span_model import SpanModel, span_loss
from utils.ner.model.word_pieces import Batch, WordEncoder
from utils.ner.training.examples import TrainingExample, dense_targets, step_parts
from utils.ner.training.optimizer import make_optimizer, make_schedule, moving_average, trainable
from utils.ner.training.perturbation import EVERY, hardest_shift, observed, shifted
from utils.ner.training.precision import computing_dtype, computing_in, loss_scaler
from utils.ner.training.settings import TrainingPlan, TrainSettings


class Learner:
    """Runs the steps of a training. The model is on its device; `weights` are the labels' weights in the loss."""

    def __init__(
        self,
        model: SpanModel,
        words: WordEncoder,
        weights: Sequence[float],
        settings: TrainSettings,
        plan: TrainingPlan,
    ) -> None:
        self.model = model
        self.words = words
        self.settings = settings
        self.plan = plan
        self.device = next(model.parameters()).device
        self.weights = torch.tensor(weights, device=self.device)
        self.optimizer = make_optimizer(model, settings)
        self.schedule = make_schedule(self.optimizer, steps=plan.steps, warmup=plan.warmup_steps(settings))
        self.dtype = computing_dtype(settings.precision, self.device)
        self.scaler = loss_scaler(self.dtype, self.device)
        self.average = moving_average(model, settings.ema) if settings.ema else None

    @property
    def released_model(self) -> SpanModel:
        """The model to evaluate and save: the average of the weights if there is one, else the model itself."""
        return cast(SpanModel, self.average.module) if self.average else self.model

    @property
    def _is_adversarial(self) -> bool:
        """Whether the current step also learns sentences with shifted embeddings."""
        steps_done = self.schedule.last_epoch  # restored when a training is resumed
        return self.settings.adversarial > 0 and steps_done % EVERY == 0

    def step(self, examples: Sequence[TrainingExample]) -> float:
        """Run one optimizer step on some examples, and return their mean loss.

        Examples pass through the model in parts that fit into memory. The gradients are those of one large batch.
        """
        losses = [
            self._add_gradients(part, len(part) / len(examples)) for part in step_parts(examples, self.plan.batch_size)
        ]
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(trainable(self.model), self.settings.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.optimizer.zero_grad()
        if self.average:
            self.average.update_parameters(self.model)
        return sum(torch.stack(losses).tolist())  # last, and all at once: it waits until a GPU has finished the step

    def _add_gradients(self, examples: Sequence[TrainingExample], share: float) -> Tensor:
        """Add the gradients of a part of a step, also with perturbed embeddings; return its share of the loss."""
        collated = self.words.collate([example.window for example in examples])
        batch = collated.to(self.device)
        targets = dense_targets(examples, len(self.weights), self.device)
        weights = share * to_device(torch.tensor([example.weight for example in examples]), self.device)
        cell_weights = weights[:, None, None, None] * self.weights  # (batch, 1, 1, labels)
        if not self._is_adversarial:
            return self._backward(batch, targets, cell_weights)
        embeddings = self.model.bert.get_input_embeddings()
        with observed(embeddings) as seen:
            loss = self._backward(batch, targets, cell_weights)
        gold = [index for index, example in enumerate(examples) if not example.is_synthetic]
        if gold:  # the labels of synthetic sentences are too uncertain to be learnt for shifted embeddings as well
            shift = hardest_shift(seen[0], batch.attention_mask, self.settings.adversarial)
            if len(gold) < len(examples):
                (rows,) = indices_on(self.device, gold)
                batch = collated.rows(gold).to(self.device)
                targets = targets[rows, : batch.words, : batch.words]
                shift, cell_weights = shift[rows], len(gold) / len(examples) * cell_weights[rows]
            with shifted(embeddings, shift):
                self._backward(batch, targets, cell_weights)
        return loss

    def _backward(self, batch: Batch, targets: Tensor, weights: Tensor) -> Tensor:
        """Add the gradients of a batch, and return its loss."""
        with computing_in(self.dtype, self.device):
            logits = self.model(batch)
        loss = span_loss(logits.float(), targets, weights)
        self.scaler.scale(loss).backward()
        return loss.detach()

    def state(self) -> dict[str, Any]:
        """Return everything that later steps depend on, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "random": random_states(self.device),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        if self.average:
            self.average.load_state_dict(state["average"])
        set_random_states(state["random"], self.device)


def seed_all(seed: int) -> None:
    """Seed all random generators that a model or an encoder may use."""
    random.seed(seed)
    torch.manual_seed(seed)


def random_states(device: torch.device) -> dict[str, Any]:
    """Return the states of these generators; of several GPUs, that of the training's own."""
    states: dict[str, Any] = {"python": random.getstate(), "cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Restore what `random_states` returned, maybe on another GPU."""
    random.setstate(states["python"])
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and device.type == "cuda":
        saved = states["cuda"]
        torch.cuda.set_rng_state(saved[0] if isinstance(saved, list) else saved, device)  # a list: of earlier versions
