"""The number of tokens that a model reads, by its configuration."""

from __future__ import annotations

import re
from typing import Any

LENGTH_NAME = re.compile(
    r"(?:window|window_size|chunk_size|original_max_position_embeddings)$"
)  # of settings in tokens
POSITION_TABLES = {"cos_cached", "sin_cached"}  # buffers of rotary embeddings
MAX_CONTEXT = 8192  # tokens of a prompt and its answer together; fewer if the model's own limit is lower


def text_config(config: Any) -> Any:
    """Return the part of a multimodal model's configuration that is about text; of other models, all of it."""
    if hasattr(config, "get_text_config"):
        return config.get_text_config()
    return getattr(config, "text_config", config)


def context_of(config: Any) -> int:
    """Return the number of tokens of prompt and answer together that a model's configuration allows."""
    text = text_config(config)
    named = [getattr(text, name, None) for name in ("max_position_embeddings", "seq_length", "n_positions")]
    return min([MAX_CONTEXT, *(number for number in named if number and number > 0)])


def limit_position_tables(config: Any) -> None:
    """Limit a configuration to the positions that are used.

    In transformers 4, each layer keeps the cosines and sines of all positions: 470 MB for Qwen2.5 with 1.5 B
    parameters. Only plain rotary embeddings do not otherwise depend on the number of positions.
    """
    is_plain = hasattr(config, "rope_theta") and getattr(config, "rope_scaling", None) is None
    if is_plain and config.max_position_embeddings > MAX_CONTEXT:
        config.max_position_embeddings = MAX_CONTEXT


def share_position_tables(model: Any) -> None:
    """Let all layers of a model use the same tables of cosines and sines, if they are equal.

    In transformers 4, each layer has its own: 117 MB for Qwen2.5 with 1.5 B parameters and 8192 positions.
    """
    found: dict[tuple[Any, ...], Any] = {}
    for module in model.modules():
        for name in POSITION_TABLES & vars(module).get("_buffers", {}).keys():
            table = getattr(module, name)
            first = found.setdefault((name, table.shape, table.dtype, table.device), table)
            if first is not table and first.equal(table):
                setattr(module, name, first)


def short_rope_limit(config: Any) -> int | None:
    """Return the number of tokens up to which a model uses other rotary embeddings than for longer rows, or None.

    With LongRoPE (Phi-3-128k), the longest row of a batch decides which of the two all rows get.
    """
    text = text_config(config)
    scaling = getattr(text, "rope_scaling", None) or getattr(text, "rope_parameters", None) or {}
    kind = scaling.get("rope_type", scaling.get("type"))
    named = (scaling.get("original_max_position_embeddings"), getattr(text, "original_max_position_embeddings", None))
    return next((limit for limit in named if limit), None) if kind in ("longrope", "su") else None


def attention_windows(config: Any) -> list[int | None]:
    """Return for each layer how many tokens it attends to, itself included, or None; an empty list without windows.

    Versions of transformers differ in whether a model uses the windows that its configuration names.
    """
    text = text_config(config)
    window = getattr(text, "sliding_window", None)
    if not window or window >= MAX_CONTEXT or getattr(text, "use_sliding_window", True) is False:
        return []
    kinds = getattr(text, "layer_types", None)
    if kinds is None and text.model_type == "gemma2":  # before transformers 4.53
        kinds = ["full_attention" if layer % 2 else "sliding_attention" for layer in range(text.num_hidden_layers)]
    if kinds is None:
        return [window] * text.num_hidden_layers
    windows = [window if kind == "sliding_attention" else None for kind in kinds]
    return windows if any(windows) else []


def named_lengths(config: Any) -> list[int]:
    """Return the lengths below MAX_CONTEXT at which a configuration may change how a model attends, such as windows."""
    text = vars(text_config(config))
    scaling = text.get("rope_scaling") or text.get("rope_parameters")
    values = {**text, **(scaling if isinstance(scaling, dict) else {})}
    named = [value for name, value in values.items() if LENGTH_NAME.search(name)]
    return sorted({value for value in named if type(value) is int and 0 < value < MAX_CONTEXT})
