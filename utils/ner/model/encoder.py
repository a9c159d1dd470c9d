"""Pretrained encoders and their tokenizers: any BERT-like model that transformers can load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, AutoTokenizer

from utils.compute.checkpoint_errors import named_errors
from utils.compute.linear.onednn import FastLinear
from utils.wording import counted

DEFAULT_POSITIONS = 512
# Names of the same setting in BERT, RoBERTa and ELECTRA, in DistilBERT, ModernBERT and T5Gemma, and in GPT-2.
ATTENTION_DROPOUTS = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")


def load_encoder(source: str, layers: int | None = None) -> Any:
    """Return the pretrained encoder of a folder or hub id, in float32 and without its pooling layer.

    Its attention has no dropout, because torch's fused attention for CPUs supports none; without it, a training step on
    sentences of 80 pieces takes 15 % longer. The dropout of its other layers is that of the checkpoint.

    With `layers`, only this many of its lowest layers are kept; ValueError if it has fewer.
    """
    _check_source(source)
    with named_errors(source):
        config = AutoConfig.from_pretrained(source)
    for name in ATTENTION_DROPOUTS:
        if hasattr(config, name):
            setattr(config, name, 0.0)
    if layers is not None:
        if layers > config.num_hidden_layers:
            raise ValueError(
                f"{source} has {counted(config.num_hidden_layers, 'layer')}, fewer than --encoder_layers={layers}"
            )
        config.num_hidden_layers = layers
    with named_errors(source):
        try:
            encoder = AutoModel.from_pretrained(source, config=config, add_pooling_layer=False)
        except TypeError:  # an architecture without a pooling layer
            encoder = AutoModel.from_pretrained(source, config=config)
        return _without_pooler(encoder.float())


def checkpoint_gradients(encoder: Any) -> None:
    """Let an encoder recompute its activations for the gradients instead of keeping them: less memory, more time."""
    encoder.gradient_checkpointing_enable(
        # The recomputation, too, needs FastLinear: contexts around the forward pass do not reach the backward pass.
        gradient_checkpointing_kwargs={"use_reentrant": False, "context_fn": lambda: (FastLinear(), FastLinear())}
    )


def build_encoder(config_folder: Path) -> Any:
    """Return an encoder with random weights from a folder's `config.json`; the caller loads its weights."""
    with named_errors(str(config_folder)):
        return _without_pooler(AutoModel.from_config(AutoConfig.from_pretrained(config_folder)).float())


def load_tokenizer(source: str) -> Any:
    """Return the tokenizer of a folder or hub id, configured for single words."""
    _check_source(source)
    unused = {"clean_up_tokenization_spaces": False}  # only for decoding, but transformers 4.44 warns without it
    with named_errors(source):
        tokenizer = AutoTokenizer.from_pretrained(source, **unused)
        if getattr(tokenizer, "add_prefix_space", None) is False:  # byte-level BPE: read each word as one after a space
            tokenizer = AutoTokenizer.from_pretrained(source, add_prefix_space=True, **unused)
        return tokenizer


def max_pieces(encoder: Any) -> int:
    """Return the length of the encoder's longest input in word pieces, special ones included."""
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if type(positions) is not int or positions < 1:
        positions = DEFAULT_POSITIONS  # XLNet has -1: its positions are relative, so that no input is too long
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    reserved = getattr(table, "padding_idx", None)  # RoBERTa's positions start after its padding index
    return positions if reserved is None else positions - reserved - 1


def _check_source(source: str) -> None:
    """Raise FileNotFoundError if `source` looks like a folder but is none: transformers would ask its hub for it."""
    folder = Path(source).expanduser()
    looks_like_path = source.startswith((".", "/", "~")) or source.count("/") > 1
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"{source} has no config.json: give the folder of a pretrained encoder")
    elif looks_like_path or folder.exists():
        raise FileNotFoundError(
            f"{source} is not a folder: give the folder of a pretrained encoder, such as chinese-bert-wwm-ext"
        )


def _without_pooler(encoder: Any) -> Any:
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder
