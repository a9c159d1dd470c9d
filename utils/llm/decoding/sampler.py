"""How the next tokens of answers are drawn from the model's scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from utils.compute.transfers import to_device
from utils.llm.base import Sampling


class TokenSampler:
    """The random numbers of one answer.

    Each answer has its own generator, on the CPU: the tokens drawn depend neither on the batch nor on the device.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.generator = torch.Generator().manual_seed(sampling.seed)

    @property
    def is_random(self) -> bool:
        """Whether tokens are drawn; at temperature 0, the best ones are taken."""
        return self.sampling.temperature > 0

    def draw(self, noise: torch.Tensor) -> None:
        """Fill `noise` (vocabulary,) with the next random numbers between 0 and 1, one for each token."""
        torch.rand(noise.shape, generator=self.generator, out=noise)


def drawn_scores(scores: torch.Tensor, samplings: Sequence[Sampling], noise: torch.Tensor) -> torch.Tensor:
    """Return `scores` (answers, vocabulary) with the drawn token of each answer at the maximum.

    With Gumbel noise on the scaled scores, their arg max is a draw from the softmax (the Gumbel-max trick). `noise` has
    the shape of `scores`, and random numbers between 0 and 1.
    """
    temperature, top_p = ([getattr(one, name) for one in samplings] for name in ("temperature", "top_p"))
    settings = to_device(torch.tensor([temperature, top_p]), scores.device)[:, :, None]
    scaled = nucleus(scores / settings[0], settings[1])
    return scaled - torch.log(-torch.log(to_device(noise, scores.device).clamp(1e-20, 1 - 1e-7)))


def nucleus(scores: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """Return `scores` (answers, vocabulary) with -inf outside the smallest set of tokens of probability `top_p`.

    `top_p` is (answers, 1).
    """
    ordered, order = scores.sort(descending=True)
    probabilities = ordered.softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities > top_p
    return scores.scatter(-1, order, ordered.masked_fill(outside, float("-inf")))
