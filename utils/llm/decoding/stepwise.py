"""A decoder of our own: rows come and go one by one, nothing is padded, and what a grammar forces costs no step.

It knows of a model that it takes ids, positions and a cache, and attends with torch's `scaled_dot_product_attention`;
`can_step` finds out whether that is so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import torch

from utils.llm.base import Finish
from utils.llm.decoding.decoder import LONGEST, Row
from utils.llm.decoding.guide import Guide, Guided, forbid
from utils.llm.decoding.ragged import RaggedAttention, RaggedCache
from utils.llm.decoding.sampler import Draw

WORTHWHILE = 16  # tokens of a common beginning that are worth a call of their own
CHUNK = 512  # tokens that a sequence shows the model in one call, at the most: attention takes their square


@dataclass(eq=False)
class Progress:
    """One row's answer so far."""

    row: Row
    pending: list[int]  # tokens that the model has not seen
    draw: Draw | None
    guided: Guided | None
    answer: list[int] = field(default_factory=list)
    finish: Finish | None = None

    def take(self, token: int, stops: frozenset[int]) -> None:
        """Add a token that the model chose, and what the grammar forces behind it."""
        if token in stops:
            self.finish = "stop"
            return
        self.pending = []
        if self.guided:
            self.guided.take(token)
        self._append([token])
        self.take_forced()

    def take_forced(self) -> None:
        """Add what the grammar forces here."""
        if self.guided and not self.finish:
            self._append(self.guided.take_forced())
            if self.guided.is_complete and not self.finish:
                self.finish = "stop"

    def _append(self, tokens: list[int]) -> None:
        room = self.row.budget - len(self.answer)
        self.answer += tokens[:room]
        self.pending += tokens[:room]
        is_complete = self.guided is not None and self.guided.is_complete
        if len(tokens) > room or (len(tokens) == room and not is_complete):
            self.finish = "length"


class StepwiseDecoder:
    """Decodes with a model's forward pass alone."""

    def __init__(self, model: Any, stops: Sequence[int]) -> None:
        self.model = model
        self.stops = frozenset(stops)

    def decode(
        self, rows: Sequence[Row], batch_size: int, guide: Guide | None = None
    ) -> Iterator[tuple[Row, list[int], Finish]]:
        # Long rows first, so that none is left alone at the end; alike ones together: attention is padded a little.
        waiting = deque(sorted(rows, key=lambda row: -len(row.prompt) - row.budget))
        shared = self._shared(rows)
        cache = RaggedCache(min(batch_size, len(rows)))
        active: list[Progress] = []
        while waiting or active:
            while waiting and len(active) < batch_size:
                active.append(_begin(waiting.popleft(), 0 if shared is None else shared.lengths[0], guide))
                cache.add(shared)
            self._step(active, cache)
            for place in reversed(range(len(active))):
                progress = active[place]
                if progress.finish:
                    cache.remove(place)
                    active[place] = active[-1]
                    active.pop()
                    yield progress.row, progress.answer, progress.finish

    def scores(self, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
        """Return the scores behind the last of each sequence's new tokens: (sequences, vocabulary), in float32."""
        device = self.model.device
        call = cache.begin([len(sequence) for sequence in tokens], device)
        ids = torch.tensor([[token for sequence in tokens for token in sequence]], device=device)
        # A mask of four dimensions is taken as it is; what it says does not matter, as the attention is the cache's.
        width = ids.shape[1] + cache.get_seq_length()
        mask = torch.zeros(1, 1, ids.shape[1], width, device=device, dtype=self.model.dtype)
        with torch.inference_mode(), RaggedAttention(cache):
            output = self.model.base_model(
                input_ids=ids, position_ids=call.position[None], attention_mask=mask, past_key_values=cache
            )
            hidden = output.last_hidden_state[0]
            scores: torch.Tensor = self.model.get_output_embeddings()(hidden[call.last.to(hidden.device)])
            return scores.float()

    def _shared(self, rows: Sequence[Row]) -> RaggedCache | None:
        """Return the cache of what all prompts begin with, or None where that is not worth a call."""
        prefix = _common_beginning([row.prompt[:-1] for row in rows]) if len(rows) > 1 else []
        if len(prefix) < WORTHWHILE:
            return None
        cache = RaggedCache(1)
        cache.add()
        for start in range(0, len(prefix), CHUNK):
            self.scores([prefix[start : start + CHUNK]], cache)
        return cache

    def _step(self, active: Sequence[Progress], cache: RaggedCache) -> None:
        """Show the model what is pending, and add a token to each answer."""
        scores = self.scores([progress.pending[:CHUNK] for progress in active], cache)
        scores = forbid(scores, [progress.guided for progress in active])
        for progress, row in zip(active, scores, strict=True):
            if len(progress.pending) > CHUNK:
                progress.pending = progress.pending[CHUNK:]
            elif not progress.finish:
                drawn = progress.draw(row) if progress.draw else row
                progress.take(int(drawn.argmax()), self.stops)


def can_step(model: Any, samples: Sequence[Sequence[int]]) -> bool:
    """Tell whether a model can be decoded step by step: whether samples together score as each by itself.

    A model that attends within a window is left to its own code, as a prompt may be longer.

    The samples are token ids of real text: of others, scores in bfloat16 are mostly noise.
    """
    if not type(model).__module__.startswith("transformers.") or _window(model) < LONGEST:
        return False
    try:
        together = _together(StepwiseDecoder(model, []), samples)
        with torch.inference_mode():
            apart = [model(input_ids=torch.tensor([ids], device=model.device)).logits[0, -1] for ids in samples]
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False
    single = torch.stack(apart).float().to(together.device)
    # Sums in another order change bfloat16 scores by some per cent; what attends otherwise, by far more.
    tolerance = 1e-3 if model.dtype == torch.float32 else 0.1
    return bool((together - single).norm() <= tolerance * (single - single.mean(-1, keepdim=True)).norm())


def _together(decoder: StepwiseDecoder, samples: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return the scores behind samples that are shown in two calls, cut at places of their own."""
    cache = RaggedCache(len(samples))
    cuts = [len(ids) // (2 + place) for place, ids in enumerate(samples)]
    for _ in samples:
        cache.add()
    decoder.scores([ids[:cut] for ids, cut in zip(samples, cuts, strict=True)], cache)
    return decoder.scores([ids[cut:] for ids, cut in zip(samples, cuts, strict=True)], cache)


def _begin(row: Row, shared: int, guide: Guide | None) -> Progress:
    """Return the progress of a row whose first `shared` tokens the model has seen."""
    request = row.request
    guided = guide.follow(request.grammar) if guide and request.grammar else None
    progress = Progress(row, row.prompt[shared:], Draw(request.sampling) if request.sampling else None, guided)
    progress.take_forced()
    return progress


def _common_beginning(sequences: Sequence[list[int]]) -> list[int]:
    """Return the longest beginning of all sequences: that of the first and the last in order."""
    first, last = min(sequences), max(sequences)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return [token for token, _ in same]


def _window(model: Any) -> int:
    """Return within how many tokens a model attends."""
    config = model.config
    window = getattr(config, "sliding_window", None)
    return window if window and getattr(config, "use_sliding_window", True) else LONGEST
