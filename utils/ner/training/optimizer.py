"""The optimiser of a span model, its learning rates, and the average of the weights."""

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
    """Return AdamW with a learning rate for each encoder layer and one for the head; biases and norms do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter, rate in _rates(model, settings):
        decay = settings.weight_decay if parameter.squeeze().dim() > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    options = [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]
    try:
        return AdamW(options, fused=True)  # 6 times faster on a CPU
    except RuntimeError:  # not on this device or in this torch
        return AdamW(options)


def _rates(model: SpanModel, settings: TrainSettings) -> Iterable[tuple[nn.Parameter, float]]:
    """Yield the trained parameters with their learning rates.

    Lower encoder layers contain more general knowledge, so each layer has `layer_decay` times the rate of the one
    above. With encoder_lr 2e-4, layer_decay 0.9 and 12 layers, the top layer has 2e-4, the lowest 2e-4 * 0.9**11 =
    6.3e-5, and the embeddings 2e-4 * 0.9**12 = 5.6e-5. Source: Howard and Ruder, 2018, "Universal Language Model
    Fine-tuning for Text Classification".
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
    """Return the layer of an encoder's parameter, from 0, the lowest; -1: embeddings; None: above all layers."""
    if number := re.search(r"\.(\d+)\.", name):
        return int(number[1])
    return -1 if "embed" in name else None


def make_schedule(optimizer: AdamW, *, steps: int, warmup: int) -> LambdaLR:
    """Return a schedule that raises the learning rates linearly for `warmup` steps, then lowers them linearly to 0."""

    def factor(step: int) -> float:
        return step / warmup if step < warmup else max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimizer, factor)


def trainable(model: nn.Module) -> Iterable[nn.Parameter]:
    """Return the parameters that training changes."""
    return (parameter for parameter in model.parameters() if parameter.requires_grad)


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """Return a moving average of a model's weights. With few sentences, it scores better than the weights themselves.

    Call `update_parameters(model)` after each step; `.module` is the averaged model. After n steps the decay is
    min(decay, (1 + n) / (10 + n)), so that the average soon forgets the initial weights.
    """

    def follow(averages: Sequence[Tensor], currents: Sequence[Tensor], updates: Tensor | int) -> None:
        done = int(average.n_averaged)  # equals `updates`, which torch has copied to the weights' device
        torch._foreach_lerp_(list(averages), list(currents), 1 - min(decay, (1 + done) / (10 + done)))

    average = AveragedModel(model, multi_avg_fn=follow)
    average.module.eval()
    return average
