"""The scores of a model for sequences of different lengths, which it reads in one row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from utils.compute.transfers import indices_on
from utils.llm.decoding.ragged.cache import RaggedCache


class RaggedAttention(TorchFunctionMode):
    """A context in which torch's attention is that of a ragged cache."""

    def __init__(self, cache: RaggedCache) -> None:
        super().__init__()
        self.cache = cache

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is scaled_dot_product_attention:
            return self.cache.attend(args[0] if args else kwargs["query"], (kwargs or {}).get("scale"))
        return function(*args, **(kwargs or {}))


def ragged_scores(model: Any, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
    """Return the scores of the token after each sequence's new tokens: (sequences, vocabulary), in float32.

    The model computes them as its configuration says: some scale or cap them.
    """
    inputs = _begin(model, tokens, cache)
    with torch.inference_mode(), RaggedAttention(cache), _last_states_only(model, cache):
        scores: torch.Tensor = model(**inputs).logits[0]
    if len(scores) != len(tokens):  # the model has no use for its `base_model` as a whole, such as OPT
        scores = scores[cache.layout_on(scores.device).last]
    return scores.float()


def ragged_states(model: Any, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> torch.Tensor:
    """Return the last layer's states of each sequence's last new token: (sequences, dimension)."""
    inputs = _begin(model, tokens, cache)
    with torch.inference_mode(), RaggedAttention(cache):
        states: torch.Tensor = model.base_model(**inputs).last_hidden_state[0]
    return states[cache.layout_on(states.device).last]


def _begin(model: Any, tokens: Sequence[Sequence[int]], cache: RaggedCache) -> dict[str, Any]:
    """Begin a call, and return the model's arguments."""
    cache.begin([len(sequence) for sequence in tokens])
    (ids,) = indices_on(model.device, [token for sequence in tokens for token in sequence])  # (new tokens,)
    # Models use a mask of four dimensions as it is, and make none themselves. `attend` ignores it, so it is tiny. It
    # stays on the CPU: transformers 4.44 reads its largest value, and would wait for a GPU.
    mask = torch.zeros(1, 1, 1, 1, dtype=model.dtype)
    position = cache.layout_on(model.device).position
    return {
        "input_ids": ids[None],
        "position_ids": position[None],
        "attention_mask": mask,
        "past_key_values": cache,
        "use_cache": True,
    }


@contextmanager
def _last_states_only(model: Any, cache: RaggedCache) -> Iterator[None]:
    """Let a model compute scores for each sequence's last new token only."""

    def select(module: Any, inputs: Any, output: Any) -> Any:
        states = output.last_hidden_state  # (1, new tokens, dimension)
        output.last_hidden_state = states[:, cache.layout_on(states.device).last]
        return output

    hook = model.base_model.register_forward_hook(select)
    try:
        yield
    finally:
        hook.remove()
