"""The optimiser of a span model, and the course of its learning rates."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from utils.ner.model import SpanModel
from utils.ner.training_record import TrainSettings


def make_optimizer(model: SpanModel, settings: TrainSettings) -> AdamW:
    """Return AdamW with one learning rate for the encoder and one for all else; biases and norms do not decay."""
    encoder = {id(parameter) for parameter in model.bert.parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trainable(model):
        rate = settings.encoder_lr if id(parameter) in encoder else settings.head_lr
        decay = settings.weight_decay if parameter.squeeze().dim() > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    options = [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]
    try:
        return AdamW(options, fused=True)  # 6 times faster on a CPU
    except RuntimeError:  # not on this device, or not in this torch
        return AdamW(options)


def make_schedule(optimizer: AdamW, *, steps: int, warmup: int) -> LambdaLR:
    """Return the schedule that raises the rates in a straight line for `warmup` steps, then lowers them to 0."""

    def factor(step: int) -> float:
        return step / warmup if step < warmup else max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimizer, factor)


def trainable(model: nn.Module) -> Iterable[nn.Parameter]:
    """Yield the parameters that training changes."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)


def seed_all(seed: int) -> None:
    """Seed all generators that a model or an encoder may draw from."""
    random.seed(seed)
    torch.manual_seed(seed)


def random_states() -> dict[str, Any]:
    """Return the states of these generators, to go on from."""
    states: dict[str, Any] = {"python": random.getstate(), "cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_random_states(states: Mapping[str, Any]) -> None:
    """Go on from what `random_states` returned."""
    random.setstate(states["python"])
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
