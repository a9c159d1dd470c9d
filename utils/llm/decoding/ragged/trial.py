"""Whether a model gives the right scores with a ragged cache: it is tried on a few samples when it is loaded.

Two comparisons with the model's own scores:

1. Its first layers in float32, one kind of layer at least, on short samples and on a sample that is longer than every
   window and length that the configuration names. bfloat16 would hide small differences, such as those of capped
   scores or of a bias for each position.
2. The whole model, in its own data type, on the short samples.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch.func import functional_call
from torch.utils._pytree import tree_map_only

from utils.llm.decoding.decoder import are_close
from utils.llm.decoding.ragged.cache import CHUNK, MakeCache, RaggedCache
from utils.llm.decoding.ragged.grouped import GroupedCache
from utils.llm.decoding.ragged.paged import PagedCache, has_paged_attention
from utils.llm.decoding.ragged.rows import RowCache
from utils.llm.decoding.ragged.scores import ragged_scores, ragged_states
from utils.llm.hf.context import MAX_CONTEXT, attention_windows, named_lengths, short_rope_limit, text_config

Windows = Sequence[int | None]  # of each layer
BEYOND = 32  # tokens by which the long sample is longer than the longest window


def fastest_cache(model: Any, samples: Sequence[Sequence[int]]) -> MakeCache | None:
    """Return what makes the cache with which a model decodes fastest, or None if its scores are wrong with each.

    The samples are token ids of real text; for random ids, bfloat16 scores are mostly noise.
    """
    windows = usable_windows(model, samples)
    return None if windows is None else fastest_with(windows, model, samples)


def usable_windows(model: Any, samples: Sequence[Sequence[int]]) -> Windows | None:
    """Return the windows with which a ragged cache is right in float32, empty ones for none; or None.

    Some versions of transformers do not use the windows of a configuration. A model whose rotary embeddings depend on
    the longest sequence of a call is refused. Weights must not be packed yet.
    """
    rope_limit = short_rope_limit(model.config) or MAX_CONTEXT
    if not type(model).__module__.startswith("transformers.") or rope_limit < MAX_CONTEXT:
        return None
    named = attention_windows(model.config)
    candidates: list[Windows] = [named, ()] if named else [()]
    return next((one for one in candidates if _holds(partial(_is_right_in_float32, model, samples, one))), None)


def fastest_with(windows: Windows, model: Any, samples: Sequence[Sequence[int]]) -> MakeCache | None:
    """Return what makes the fastest cache that has these windows and is right for the whole model, or None."""
    plain = plain_cache(model.device)
    kinds: list[MakeCache] = [partial(plain, windows=windows) if windows else plain]
    if not windows and has_paged_attention(model.device, model.dtype):  # windows of its kernel were never tried
        kinds.insert(0, PagedCache)
    return next((kind for kind in kinds if _holds(partial(_is_right, model, samples, kind))), None)


def plain_cache(device: torch.device) -> type[RowCache] | type[GroupedCache]:
    """Return the cache for a device that can run every model."""
    return RowCache if device.type == "cpu" else GroupedCache


def _holds(check: Callable[[], bool]) -> bool:
    """Return the result of a check; False if the model cannot be called in this way."""
    try:
        return check()
    except torch.cuda.OutOfMemoryError:  # a RuntimeError that says nothing about the decoder
        raise
    except (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError):
        return False


def _is_right(model: Any, samples: Sequence[Sequence[int]], make: MakeCache) -> bool:
    """Return whether the scores after the samples are right, in the model's own data type."""
    cache = make(len(samples))
    scores = _read(partial(ragged_scores, model), samples, cache)
    if len(cache.used_layers) < text_config(model.config).num_hidden_layers:
        raise ValueError("a layer of the model does not use the cache, such as one of a state-space model")
    with torch.inference_mode():
        alone = [model(input_ids=_row(model, ids)).logits[0, -1] for ids in samples]
    return are_close(scores, torch.stack(alone).float().to(scores.device), model.dtype)


def _is_right_in_float32(model: Any, samples: Sequence[Sequence[int]], windows: Windows) -> bool:
    """Return whether the states after the first layers are right, also for a long sample."""
    lengths = named_lengths(model.config)
    if model.dtype == torch.float32 and not lengths:
        return True  # `_is_right` compares the same
    batches = [samples, [_long_sample(model, lengths[-1] + BEYOND)]] if lengths else [samples]
    is_quantised = not all(weight.is_floating_point() for weight in model.parameters())
    dtype = model.dtype if is_quantised else torch.float32
    with _first_layers_in_float32(model):
        return all(
            _has_right_states(model, batch, plain_cache(model.device)(len(batch), windows), dtype) for batch in batches
        )


def _has_right_states(model: Any, samples: Sequence[Sequence[int]], cache: RaggedCache, dtype: torch.dtype) -> bool:
    states = _read(partial(ragged_states, model), samples, cache)
    with torch.inference_mode():
        outputs = [model.base_model(input_ids=_row(model, ids), use_cache=False) for ids in samples]
    alone = torch.stack([output.last_hidden_state[0, -1] for output in outputs])
    return are_close(states.float(), alone.float().to(states.device), dtype)


def _read(
    read: Callable[[Sequence[Sequence[int]], RaggedCache], torch.Tensor],
    samples: Sequence[Sequence[int]],
    cache: RaggedCache,
) -> torch.Tensor:
    """Return what a model gives after the samples, which it reads in several calls, each cut at another position.

    A kernel for GPUs may treat a single new token in another way, so the last token is then a call of its own.
    """
    cache.add(count=len(samples))
    first = [min(CHUNK, len(ids) // (2 + index)) for index, ids in enumerate(samples)]
    cuts = [[0, cut, *range(cut + CHUNK, len(ids) - 1, CHUNK)] for cut, ids in zip(first, samples, strict=True)]
    ends = [[len(ids) - 1, len(ids)] if isinstance(cache, PagedCache) else [len(ids)] for ids in samples]
    for pieces in zip(*map(_pieces, samples, cuts, ends), strict=True):
        result = read(pieces, cache)
    return result


def _pieces(ids: Sequence[int], cuts: Sequence[int], ends: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start:end] for start, end in pairwise([*cuts, *ends])]


def _row(model: Any, ids: Sequence[int]) -> torch.Tensor:
    return torch.tensor([ids], device=model.device)


def _long_sample(model: Any, length: int) -> list[int]:
    """Return random ids: where a text repeats itself, a window makes hardly any difference."""
    draw, size = random.Random(0), text_config(model.config).vocab_size
    return [draw.randrange(size) for _ in range(length)]


@contextmanager
def _first_layers_in_float32(model: Any) -> Iterator[None]:
    """Let a model have only its first layers, at least one of each kind, and let them compute in float32."""
    text = text_config(model.config)
    decoder = getattr(model.base_model, "language_model", model.base_model)
    parent, name, layers = next(
        (module, name, child)
        for module in decoder.modules()
        for name, child in module.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == text.num_hidden_layers
    )
    kinds = getattr(text, "layer_types", None) or attention_windows(model.config) or [None]
    number = 1 + max(kinds.index(kind) for kind in kinds)
    dtypes = [*[torch.float32] * (number - 1), model.dtype]
    setattr(parent, name, torch.nn.ModuleList(map(InFloat32, layers[:number], dtypes)))
    try:
        yield
    finally:
        setattr(parent, name, layers)


class InFloat32(torch.nn.Module):
    """A layer that computes in float32, and returns tensors of another data type if the next layer needs it."""

    def __init__(self, layer: torch.nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer = layer
        self.dtype = dtype

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the layer: models look at some, such as the kind of its attention."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.layer, name)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        tensors = [*self.layer.named_parameters(), *self.layer.named_buffers()]
        weights = {name: _cast(tensor, torch.float32) for name, tensor in tensors}
        inputs, named = tree_map_only(torch.Tensor, partial(_cast, dtype=torch.float32), (args, kwargs))
        output = functional_call(self.layer, weights, inputs, named)
        return tree_map_only(torch.Tensor, partial(_cast, dtype=self.dtype), output)


def _cast(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor
