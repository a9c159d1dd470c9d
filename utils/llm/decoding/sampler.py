"""How one token is drawn from scores, with a generator that belongs to one answer alone."""

from __future__ import annotations

import torch

from utils.llm.base import Sampling


class Draw:
    """Turns the scores of one row into scores whose arg max is the token to take.

    Each answer has a generator of its own, so what is drawn does not depend on the batch. Gumbel noise on the scaled
    scores makes the arg max a draw from their softmax (the Gumbel-max trick).
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.generator = torch.Generator().manual_seed(sampling.seed)

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        """Return `scores` (vocabulary,) with noise, or as they are at temperature 0."""
        if self.sampling.temperature <= 0:
            return scores
        scaled = nucleus(scores / self.sampling.temperature, self.sampling.top_p)
        noise = torch.rand(scaled.shape, generator=self.generator).to(scaled.device)
        return scaled - torch.log(-torch.log(noise.clamp(1e-20, 1 - 1e-7)))


def nucleus(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """Return `scores` (vocabulary,) with all outside the smallest set of probability `top_p` at -inf."""
    ordered, order = scores.sort(descending=True)
    probabilities = ordered.softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities > top_p
    return scores.scatter(0, order[outside], float("-inf"))
