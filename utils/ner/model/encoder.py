"""Base encoders and their tokenizers: any BERT-like model that transformers can load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, AutoTokenizer

from utils.compute.onednn import FastLinear

TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "spiece.model",
    "spm.model",
)
DEFAULT_POSITIONS = 512


def load_encoder(source: str, layers: int | None = None) -> Any:
    """Return the pretrained encoder of a folder or hub id, in float32 and without its pooling layer.

    With `layers`, only so many of its layers, the lowest; raise ValueError where it has fewer.
    """
    _check_source(source)
    config = AutoConfig.from_pretrained(source)
    if layers is not None:
        if layers > config.num_hidden_layers:
            raise ValueError(f"{source} has {config.num_hidden_layers} layers, fewer than --encoder_layers={layers}")
        config.num_hidden_layers = layers
    try:
        encoder = AutoModel.from_pretrained(source, config=config, add_pooling_layer=False)
    except TypeError:  # an architecture that has none
        encoder = AutoModel.from_pretrained(source, config=config)
    return _without_pooler(encoder.float())


def checkpoint_gradients(encoder: Any) -> None:
    """Let an encoder compute its layers anew for their gradients, instead of keeping them: less memory, more time."""
    encoder.gradient_checkpointing_enable(
        # Both times by the same operators: a backward pass knows nothing of the contexts that are entered around it.
        gradient_checkpointing_kwargs={"use_reentrant": False, "context_fn": lambda: (FastLinear(), FastLinear())}
    )


def build_encoder(config_folder: Path) -> Any:
    """Return an encoder with random weights from a folder's `config.json`; its weights are loaded afterwards."""
    return _without_pooler(AutoModel.from_config(AutoConfig.from_pretrained(config_folder)).float())


def load_tokenizer(source: str) -> Any:
    """Return the tokenizer of a folder or hub id, set to read single words."""
    _check_source(source)
    unused = {"clean_up_tokenization_spaces": False}  # concerns decoding; said, or transformers 4.44 warns of it
    tokenizer = AutoTokenizer.from_pretrained(source, **unused)
    if getattr(tokenizer, "add_prefix_space", None) is False:  # byte-level BPE: else no word stands after a blank
        tokenizer = AutoTokenizer.from_pretrained(source, add_prefix_space=True, **unused)
    return tokenizer


def has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in TOKENIZER_FILES)


def max_pieces(encoder: Any) -> int:
    """Return how many pieces, special ones included, the encoder reads at once."""
    positions = getattr(encoder.config, "max_position_embeddings", None) or DEFAULT_POSITIONS
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    reserved = getattr(table, "padding_idx", None)  # RoBERTa counts positions from behind its padding's
    return positions if reserved is None else positions - reserved - 1


def _check_source(source: str) -> None:
    """Raise where `source` can only be meant as a folder, and is none: transformers would look for it on its hub."""
    folder = Path(source).expanduser()
    looks_like_path = source.startswith((".", "/", "~")) or source.count("/") > 1
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise FileNotFoundError(f"{source} has no config.json: give the folder of a pretrained encoder")
    elif looks_like_path or folder.exists():
        raise FileNotFoundError(
            f"{source} is not a folder: give that of a pretrained encoder, such as chinese-bert-wwm-ext"
        )


def _without_pooler(encoder: Any) -> Any:
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder
