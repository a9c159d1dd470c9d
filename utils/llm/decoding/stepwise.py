"""A decoder that adds and removes answers one by one: no padding, and no step for tokens that a grammar forces.

A model must accept ids, positions and a cache, and must call torch's `scaled_dot_product_attention`. `ragged.trial`
checks this, and that the scores stay the same. `ragged.cache` explains the attention.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import inf
from typing import Any

import torch

from utils.llm.base import Finish
from utils.llm.decoding.decoder import DecodedAnswer, EncodedRequest
from utils.llm.decoding.guide import GrammarState, Guide
from utils.llm.decoding.next_tokens import TokenChooser, Turn
from utils.llm.decoding.ragged.cache import CHUNK, MakeCache, RaggedCache
from utils.llm.decoding.ragged.scores import ragged_scores
from utils.llm.decoding.ragged.trial import plain_cache
from utils.llm.decoding.sampler import TokenSampler
from utils.llm.prompt_parts import common_prefix

MIN_SHARED_TOKENS = 16  # a shorter common prefix is not worth a call of the model
# About the largest numbers of tokens in one call. On a GPU, 1.5 GB for the widest layer of a 7 B model; on a CPU, 20 MB
# for that of a 1.5 B model, and more tokens are not read faster.
GPU_TOKENS, CPU_TOKENS = 16384, 256
GROWTH = 64  # tokens that an answer may still need; room for them is left before another answer begins


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
        """Add a token that the model chose; `take_forced` adds the tokens that the grammar forces after it."""
        if token in stops:
            self.finish = "stop"
            return
        self.pending = []
        if self.grammar:
            self.grammar.take(token)
        self._append([token])

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
    """Decodes with a model's forward pass alone. `cache` makes the cache; None: one that fits every model.

    On a CPU, keys and values take about `cache_bytes` at most: the shortest answers are paused if they need more, and
    read again later.
    """

    make_chooser: type[TokenChooser] = TokenChooser

    def __init__(
        self, model: Any, stops: Sequence[int], cache: MakeCache | None = None, cache_bytes: float = inf
    ) -> None:
        self.model = model
        self.stops = frozenset(stops)
        self.cache = cache or plain_cache(model.device)
        self.cache_bytes = cache_bytes

    def decode(
        self, requests: Sequence[EncodedRequest], batch_size: int, guide: Guide | None = None
    ) -> Iterator[DecodedAnswer]:
        # Long ones first, so that none is left alone at the end. Neighbours are alike, which keeps padding small.
        waiting = deque(sorted(requests, key=lambda request: -request.length))
        prefix = self._read_prefix(requests)
        cache = self.cache(min(batch_size, len(requests)))
        cache.add(prefix, count=0)  # the memory of a token is known from its keys and values
        active: list[PartialAnswer] = []  # in the order of the cache's sequences
        chooser = self.make_chooser(self.model.device, guide)
        starts = _Starts(waiting, prefix.lengths[0] if prefix is not None else 0, guide, chooser, batch_size)
        try:
            while starts or active:
                begun = starts.take(batch_size - len(active), self._free_tokens(active, cache), least=not active)
                active += begun
                cache.add(prefix, len(begun))
                self._step(active, cache, chooser)
                kept, ended = _split(active)
                cache.keep(kept)
                done = [active[row] for row in ended]
                active = [active[row] for row in kept]
                for answer in done:
                    yield answer.request, answer.ids, answer.finish or "length"
                while len(active) > 1 and cache.free_tokens(self.cache_bytes) < 0:
                    shortest = min(range(len(active)), key=cache.lengths.__getitem__)
                    starts.pause(active.pop(shortest))
                    cache.keep([row for row in range(len(cache.lengths)) if row != shortest])
        finally:
            chooser.close()

    def scores(self, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
        """Return the scores of the token after each sequence's new tokens: (sequences, vocabulary), in float32."""
        return ragged_scores(self.model, tokens, cache)

    def _free_tokens(self, active: Sequence[PartialAnswer], cache: RaggedCache) -> float:
        """Return how many tokens of further answers fit into the cache while the active ones grow."""
        return cache.free_tokens(self.cache_bytes) - sum(len(answer.pending) + GROWTH for answer in active)

    def _read_prefix(self, requests: Sequence[EncodedRequest]) -> RaggedCache | None:
        """Return a cache with the common prefix of all prompts as its only sequence; None for a short prefix."""
        # The last token of a prompt is left out: its scores are needed for each request.
        prefix = common_prefix([request.prompt[:-1] for request in requests]) if len(requests) > 1 else []
        if len(prefix) < MIN_SHARED_TOKENS:
            return None
        cache = self.cache(1)
        cache.add()
        for start in range(0, len(prefix), CHUNK):
            self.scores([prefix[start : start + CHUNK]], cache)
        return cache

    def _step(self, active: Sequence[PartialAnswer], cache: RaggedCache, chooser: TokenChooser) -> None:
        """Let the model read pending tokens, and add a token to each answer whose pending tokens are all read."""
        chunk = _chunk([len(answer.pending) for answer in active], GPU_TOKENS if chooser.on_gpu else CPU_TOKENS)
        is_ready = [len(answer.pending) <= chunk and not answer.finish for answer in active]
        turns = [
            Turn(answer.grammar, answer.sampler) if ready else Turn(None, None)
            for answer, ready in zip(active, is_ready, strict=True)
        ]
        choice = chooser.prepare(turns)
        scores = self.scores([answer.pending[:chunk] for answer in active], cache)
        tokens = chooser.tokens(choice, scores)
        for answer, token, ready in zip(active, tokens, is_ready, strict=True):
            if ready:
                answer.take(token, self.stops)
            elif not answer.finish:
                answer.pending = answer.pending[chunk:]
        ready_answers = [answer for answer, ready in zip(active, is_ready, strict=True) if ready and not answer.finish]
        if chooser.on_gpu:
            chooser.warm([answer.grammar for answer in ready_answers])
        for answer in ready_answers:
            answer.take_forced()


class _Starts:
    """The answers that have not begun. On a GPU, the grammars of a whole batch are compiled ahead, in other threads."""

    def __init__(
        self,
        waiting: deque[EncodedRequest],
        prefix_length: int,
        guide: Guide | None,
        chooser: TokenChooser,
        batch_size: int,
    ) -> None:
        self._waiting = waiting
        self._prefix_length = prefix_length
        self._guide = guide
        self._pool = chooser.pool
        self._ahead = batch_size if chooser.on_gpu else 0
        self._coming: deque[Future[PartialAnswer]] = deque()
        self._paused: deque[PartialAnswer] = deque()

    def __bool__(self) -> bool:
        return bool(self._paused or self._coming or self._waiting)

    def take(self, room: int, free_tokens: float, least: int) -> list[PartialAnswer]:
        """Return the next answers whose pending tokens fit: at most `room`, and the `least` number in any case."""
        while self._waiting and len(self._coming) < room + self._ahead:
            request = self._waiting.popleft()
            self._coming.append(self._pool.submit(_start, request, self._prefix_length, self._guide))
        taken: list[PartialAnswer] = []
        while len(taken) < room and (self._paused or self._coming):
            answer = self._paused[0] if self._paused else self._coming[0].result()
            free_tokens -= len(answer.pending) + GROWTH
            if free_tokens < 0 and len(taken) >= least:
                break
            taken.append(answer)
            (self._paused or self._coming).popleft()
        return taken

    def pause(self, answer: PartialAnswer) -> None:
        """Let an answer go on later, when the model has read its tokens again."""
        answer.pending = answer.request.prompt[self._prefix_length :] + answer.ids
        self._paused.append(answer)


def _chunk(pending: Sequence[int], most: int) -> int:
    """Return how many tokens each answer may read in one call, so that all together read about `most`.

    With 1, 1, 1, 40, 60 pending tokens and at most 64, it is 30: the call reads 63 tokens.
    """
    sizes = range(CHUNK, 0, -1)
    return next((size for size in sizes if sum(min(size, number) for number in pending) <= most), 1)


def _split(active: Sequence[PartialAnswer]) -> tuple[list[int], list[int]]:
    """Return the indices of the answers that go on, in their new order, and of those that have ended, last first.

    The last of those that go on takes the index of one that has ended: with 5 answers of which 1 and 4 have ended,
    ([0, 3, 2], [4, 1]).
    """
    kept = list(range(len(active)))
    ended = [row for row in reversed(kept) if active[row].finish]
    for row in ended:
        kept[row] = kept[-1]
        kept.pop()
    return kept, ended


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
