"""How the next token of an answer is drawn from the model's scores."""

from __future__ import annotations

import torch

from utils.llm.base import Sampling


class TokenSampler:
    """Turns the scores of one answer's next token into scores with the drawn token at their maximum.

    Each answer has its own generator, so the tokens drawn do not depend on the batch. With Gumbel noise on the scaled
    scores, their arg max is a draw from the softmax (the Gumbel-max trick).
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.generator = torch.Generator().manual_seed(sampling.seed)

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        """Return `scores` (vocabulary,) with noise, or unchanged at temperature 0."""
        if self.sampling.temperature <= 0:
            return scores
        scaled = nucleus(scores / self.sampling.temperature, self.sampling.top_p)
        noise = torch.rand(scaled.shape, generator=self.generator).to(scaled.device)
        return scaled - torch.log(-torch.log(noise.clamp(1e-20, 1 - 1e-7)))


def nucleus(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """Return `scores` (vocabulary,) with -inf for all tokens outside the smallest set of probability `top_p`."""
    ordered, order = scores.sort(descending=True)
    probabilities = ordered.softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities > top_p
    return scores.scatter(0, order[outside], float("-inf"))
