"""The optimiser of a span model, and the course of its learning rates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from utils.ner.model.span_model import SpanModel
from utils.ner.training.settings import TrainSettings


def make_optimizer(model: SpanModel, settings: TrainSettings) -> AdamW:
    """Return AdamW with a rate for each layer of the encoder, and the head's; biases and norms do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter, rate in _rates(model, settings):
        decay = settings.weight_decay if parameter.squeeze().dim() > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    options = [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]
    try:
        return AdamW(options, fused=True)  # 6 times faster on a CPU
    except RuntimeError:  # not on this device, or not in this torch
        return AdamW(options)


def _rates(model: SpanModel, settings: TrainSettings) -> Iterable[tuple[nn.Parameter, float]]:
    """Yield what is trained with its learning rate: lower layers of the encoder know what holds of any text.

    Each layer has `layer_decay` of the rate of the one above it, the embeddings that of the lowest. Source: Howard and
    Ruder, 2018, "Universal Language Model Fine-tuning for Text Classification".
    """
    depths = {id(parameter): _depth(name) for name, parameter in model.bert.named_parameters()}
    layers = 1 + max((depth for depth in depths.values() if depth is not None), default=-1)
    for parameter in trainable(model):
        if id(parameter) not in depths:
            yield parameter, settings.head_lr
        else:
            depth = depths[id(parameter)]
            below_top = 0 if depth is None else layers - 1 - depth
            yield parameter, settings.encoder_lr * settings.layer_decay**below_top


def _depth(name: str) -> int | None:
    """Return the layer that an encoder's parameter belongs to: -1 embeddings, 0 the lowest; None: above all layers."""
    if number := re.search(r"\.(\d+)\.", name):
        return int(number[1])
    return -1 if "embed" in name else None


def make_schedule(optimizer: AdamW, *, steps: int, warmup: int) -> LambdaLR:
    """Return the schedule that raises the rates in a straight line for `warmup` steps, then lowers them to 0."""

    def factor(step: int) -> float:
        return step / warmup if step < warmup else max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimizer, factor)


def trainable(model: nn.Module) -> Iterable[nn.Parameter]:
    """Yield the parameters that training changes."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of `model` that follows it: `update_parameters(model)` after each step, `.module` is the average.

    The first steps count more, min(decay, (1 + n) / (10 + n)): else the average would hold on to where it began.
    """

    def follow(averages: Sequence[Tensor], currents: Sequence[Tensor], updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(list(averages), list(currents), 1 - min(decay, (1 + done) / (10 + done)))

    average = AveragedModel(model, multi_avg_fn=follow)
    average.module.eval()
    return average
