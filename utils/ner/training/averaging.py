"""A moving average of a model's weights, which on few sentences does better than the weights of any one step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


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
