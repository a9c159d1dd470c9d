"""The choice of the next tokens of several answers: masks, random numbers, and one copy of the tokens to this process.

Neither masks nor random numbers depend on the model's scores. On a GPU, other threads compute them while the model
runs, and without Python's lock, so that this thread can start the model's kernels meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from utils.compute.transfers import indices_on
from utils.llm.decoding.sampler import TokenSampler, drawn_scores

if TYPE_CHECKING:  # llguidance may be missing in ChatGLM3's environment
    from utils.llm.decoding.guide import GrammarState, Guide

MAX_THREADS = 16


@dataclass(frozen=True)
class Turn:
    """An answer whose next token is chosen: its position in its grammar, and its random numbers."""

    grammar: GrammarState | None
    sampler: TokenSampler | None


class TokenChooser:
    """Chooses tokens for a model on `device`. Close it to end its threads."""

    def __init__(self, device: torch.device, guide: Guide | None) -> None:
        self.on_gpu = device.type == "cuda"
        self.pool: Executor = ThreadPoolExecutor(_threads()) if self.on_gpu else InlineExecutor()
        self._guide = guide
        self._vocabulary = 0  # of the model's scores, once they are known

    def close(self) -> None:
        """End the threads; what they have not begun is not done."""
        self.pool.shutdown(wait=True, cancel_futures=True)

    def prepare(self, turns: Sequence[Turn]) -> Choice:
        """Begin to compute the masks and random numbers of some answers; call this before the model runs."""
        masks = None
        if self._guide is not None and any(turn.grammar for turn in turns):
            masks = self.pool.submit(self._guide.masks, [turn.grammar for turn in turns])
        random = [row for row, turn in enumerate(turns) if turn.sampler is not None and turn.sampler.is_random]
        return Choice(turns, masks, random, self._noise(turns, random) if self._vocabulary else None)

    def tokens(self, choice: Choice, scores: torch.Tensor) -> list[int]:
        """Return the next token of each answer from the model's scores (answers, vocabulary)."""
        self._vocabulary = scores.shape[1]
        if choice.masks is not None:
            from utils.llm.decoding.guide import mask_scores

            scores = mask_scores(scores, [turn.grammar for turn in choice.turns], choice.masks.result())
        if choice.random:
            scores = self._drawn(choice, scores)
        found: list[int] = scores.argmax(-1).tolist()
        return found

    def warm(self, states: Sequence[GrammarState | None]) -> None:
        """Compute masks in parallel, and drop them; the forced tokens of these states are then found sooner.

        llguidance finds forced tokens one answer at a time, and under Python's lock. Both need the same tables of the
        grammar, which it builds when they are first needed: 0.4 ms an answer on one core, and 0.02 ms after a mask.
        """
        if self._guide is not None and any(states):
            self._guide.masks(states)

    def _noise(self, turns: Sequence[Turn], rows: Sequence[int]) -> Noise:
        numbers = torch.empty(len(rows), self._vocabulary, pin_memory=self.on_gpu and bool(rows))
        drawing = [self.pool.submit(_sampler(turns[row]).draw, numbers[place]) for place, row in enumerate(rows)]
        return Noise(numbers, drawing)

    def _drawn(self, choice: Choice, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores with the drawn token of each answer that is not greedy at the maximum."""
        noise = (choice.noise or self._noise(choice.turns, choice.random)).result()
        samplings = [_sampler(choice.turns[row]).sampling for row in choice.random]
        if len(choice.random) == len(scores):
            return drawn_scores(scores, samplings, noise)
        (rows,) = indices_on(scores.device, choice.random)
        return scores.index_copy(0, rows, drawn_scores(scores[rows], samplings, noise))


@dataclass(frozen=True)
class Noise:
    """Random numbers that are being drawn, (answers, vocabulary)."""

    numbers: torch.Tensor
    drawing: Sequence[Future[None]]

    def result(self) -> torch.Tensor:
        for row in self.drawing:
            row.result()
        return self.numbers


@dataclass(frozen=True)
class Choice:
    """What is being computed for the next tokens of some answers."""

    turns: Sequence[Turn]
    masks: Future[torch.Tensor] | None
    random: list[int]  # indices of the answers that are not greedy
    noise: Noise | None  # None: drawn when the size of the model's vocabulary is known


class InlineExecutor(Executor):
    """Runs each call at once, in this thread: on a CPU, other threads would only compete with the model."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def _sampler(turn: Turn) -> TokenSampler:
    if turn.sampler is None:
        raise RuntimeError("this answer is greedy")
    return turn.sampler


def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MAX_THREADS, max(2, cores - 1))  # one core is for the thread that starts the model's kernels
