"""A tiny random chat model as a .gguf file for llama.cpp: two layers, byte-level tokens, ChatML roles."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from tests.helpers.families import CHATML
from tests.helpers.tiny_checkpoint import SPECIAL

WIDTH, HEADS, INNER, LAYERS, CONTEXT = 64, 2, 96, 2, 4096


def write_tiny_gguf(path: Path, *, seed: int = 0, context: int = CONTEXT, template: str = CHATML) -> Path:
    """Write the model; its answers are random, but the same for the same seed."""
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = _add_vocabulary(writer, template)
    for name, weights in _weights(tokens, np.random.default_rng(seed)).items():
        writer.add_tensor(name, weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, template: str) -> int:
    """Add a token for each byte, one merge (the format requires one), and the role tokens; return their number."""
    tokens = [*_byte_letters(), "he", *SPECIAL]
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([*[normal] * (len(tokens) - len(SPECIAL)), *[control] * len(SPECIAL)])
    writer.add_token_merges(["h e"])
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(template)
    return len(tokens)


def _byte_letters() -> list[str]:
    """Return the letter of each byte in GPT-2's vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(moved)) for byte in range(256)]


def _weights(tokens: int, draw: np.random.Generator) -> dict[str, np.ndarray]:
    def matrix(rows: int, columns: int) -> np.ndarray:
        return draw.normal(0, 1.5 / np.sqrt(columns), (rows, columns))

    weights = {
        "token_embd.weight": draw.normal(0, 1, (tokens, WIDTH)),
        "output_norm.weight": np.ones(WIDTH),
        "output.weight": 4 * matrix(tokens, WIDTH),
    }
    for layer in range(LAYERS):
        weights |= {f"blk.{layer}.{name}.weight": np.ones(WIDTH) for name in ("attn_norm", "ffn_norm")}
        weights |= {f"blk.{layer}.attn_{name}.weight": matrix(WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
        weights |= {f"blk.{layer}.ffn_{name}.weight": matrix(INNER, WIDTH) for name in ("gate", "up")}
        weights[f"blk.{layer}.ffn_down.weight"] = matrix(WIDTH, INNER)
    return weights
