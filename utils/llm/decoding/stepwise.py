"""A decoder that adds and removes answers one by one: no padding, and no step for tokens that a grammar forces.

A model must accept ids, positions and a cache, and must call torch's `scaled_dot_product_attention`. `can_step` checks
this, and that the scores stay the same. `ragged` explains the attention.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from utils.llm.base import Finish
from utils.llm.decoding.decoder import MAX_CONTEXT, DecodedAnswer, EncodedRequest
from utils.llm.decoding.guide import GrammarState, Guide, mask_scores
from utils.llm.decoding.ragged import RaggedCache, ragged_scores
from utils.llm.decoding.sampler import TokenSampler
from utils.llm.prompt_parts import common_prefix

MIN_SHARED_TOKENS = 16  # a shorter common prefix is not worth a call of the model
CHUNK = 512  # largest number of tokens of a sequence in one call; the memory of attention grows with its square
# How far the scores of `can_step` may differ from the model's own, relative to their spread. Another order of sums
# changes bfloat16 scores by some per cent; another kind of attention changes them by far more.
FLOAT32_TOLERANCE, BFLOAT16_TOLERANCE = 1e-3, 0.1


@dataclass(eq=False)
class PartialAnswer:
    """The answer to one request so far."""

    request: EncodedRequest
    pending: list[int]  # tokens that the model has not read yet
    sampler: TokenSampler | None
    grammar: GrammarState | None
    ids: list[int] = field(default_factory=list)
    finish: Finish | None = None

    def take(self, token: int, stops: frozenset[int]) -> None:
        """Add a token that the model chose, and the tokens that the grammar forces after it."""
        if token in stops:
            self.finish = "stop"
            return
        self.pending = []
        if self.grammar:
            self.grammar.take(token)
        self._append([token])
        self.take_forced()

    def take_forced(self) -> None:
        """Add the tokens that the grammar forces here."""
        if self.grammar and not self.finish:
            self._append(self.grammar.take_forced())
            if self.grammar.is_complete and not self.finish:
                self.finish = "stop"

    def _append(self, tokens: list[int]) -> None:
        room = self.request.budget - len(self.ids)
        self.ids += tokens[:room]
        self.pending += tokens[:room]
        is_complete = self.grammar is not None and self.grammar.is_complete
        if len(tokens) > room or (len(tokens) == room and not is_complete):
            self.finish = "length"


class StepwiseDecoder:
    """Decodes with a model's forward pass alone."""

    def __init__(self, model: Any, stops: Sequence[int]) -> None:
        self.model = model
        self.stops = frozenset(stops)

    def decode(
        self, requests: Sequence[EncodedRequest], batch_size: int, guide: Guide | None = None
    ) -> Iterator[DecodedAnswer]:
        # Long ones first, so that none is left alone at the end. Neighbours are alike, which keeps padding small.
        waiting = deque(sorted(requests, key=lambda request: -request.length))
        prefix = self._read_prefix(requests)
        cache = RaggedCache(min(batch_size, len(requests)))
        active: list[PartialAnswer] = []  # in the order of the cache's sequences
        while waiting or active:
            while waiting and len(active) < batch_size:
                active.append(_start(waiting.popleft(), prefix.lengths[0] if prefix is not None else 0, guide))
                cache.add(prefix)
            self._step(active, cache)
            for index in reversed(range(len(active))):
                answer = active[index]
                if answer.finish:
                    cache.remove(index)  # the last sequence moves to this index, in the cache and here
                    active[index] = active[-1]
                    active.pop()
                    yield answer.request, answer.ids, answer.finish

    def scores(self, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
        """Return the scores of the token after each sequence's new tokens: (sequences, vocabulary), in float32."""
        return ragged_scores(self.model, tokens, cache)

    def _read_prefix(self, requests: Sequence[EncodedRequest]) -> RaggedCache | None:
        """Return a cache with the common prefix of all prompts as its only sequence; None for a short prefix."""
        # The last token of a prompt is left out: its scores are needed for each request.
        prefix = common_prefix([request.prompt[:-1] for request in requests]) if len(requests) > 1 else []
        if len(prefix) < MIN_SHARED_TOKENS:
            return None
        cache = RaggedCache(1)
        cache.add()
        for start in range(0, len(prefix), CHUNK):
            self.scores([prefix[start : start + CHUNK]], cache)
        return cache

    def _step(self, active: Sequence[PartialAnswer], cache: RaggedCache) -> None:
        """Let the model read pending tokens, and add a token to each answer whose pending tokens are all read."""
        scores = self.scores([answer.pending[:CHUNK] for answer in active], cache)
        scores = mask_scores(scores, [answer.grammar for answer in active])
        for answer, row in zip(active, scores, strict=True):
            if len(answer.pending) > CHUNK:
                answer.pending = answer.pending[CHUNK:]
            elif not answer.finish:
                drawn = answer.sampler(row) if answer.sampler else row
                answer.take(int(drawn.argmax()), self.stops)


def can_step(model: Any, samples: Sequence[Sequence[int]]) -> bool:
    """Return whether a model gives the samples together, in this decoder, the scores that it gives each alone.

    The samples are token ids of real text; for random ids, bfloat16 scores are mostly noise. A model that attends
    within a window is refused, because the samples are shorter than the window and prompts may be longer.
    """
    if not type(model).__module__.startswith("transformers.") or _window(model) < MAX_CONTEXT:
        return False
    try:
        together = _scores_together(StepwiseDecoder(model, []), samples)
        with torch.inference_mode():
            alone = [model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1] for ids in samples]
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False
    expected = torch.stack(alone).float().to(together.device)
    spread = (expected - expected.mean(-1, keepdim=True)).norm()
    tolerance = FLOAT32_TOLERANCE if model.dtype == torch.float32 else BFLOAT16_TOLERANCE
    return bool((together - expected).norm() <= tolerance * spread)


def _scores_together(decoder: StepwiseDecoder, samples: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return the scores after the samples, which the model reads in two calls, each cut at another position."""
    cache = RaggedCache(len(samples))
    cuts = [len(ids) // (2 + index) for index, ids in enumerate(samples)]
    for _ in samples:
        cache.add()
    decoder.scores([ids[:cut] for ids, cut in zip(samples, cuts, strict=True)], cache)
    return decoder.scores([ids[cut:] for ids, cut in zip(samples, cuts, strict=True)], cache)


def _start(request: EncodedRequest, prefix_length: int, guide: Guide | None) -> PartialAnswer:
    """Return the start of an answer; the model has read the first `prefix_length` tokens of the prompt."""
    sampling, grammar = request.request.sampling, request.request.grammar
    answer = PartialAnswer(
        request,
        pending=request.prompt[prefix_length:],
        sampler=TokenSampler(sampling) if sampling else None,
        grammar=guide.start(grammar) if guide and grammar else None,
    )
    answer.take_forced()
    return answer


def _window(model: Any) -> int:
    """Return the number of tokens within which a model attends."""
    config = model.config
    window = getattr(config, "sliding_window", None)
    return window if window and getattr(config, "use_sliding_window", True) else MAX_CONTEXT
