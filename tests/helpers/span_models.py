"""Tiny random encoders and span models, in folders that the scripts can load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.helpers.builders import write_json
from utils.dataset.tokens import text_hash


def make_encoder(folder: Path, words: Iterable[str], *, positions: int = 64) -> Path:
    """Write a random BERT with one layer, a vocabulary of the given words, and room for this many word pieces."""
    return write_bert(folder, sorted(set(words)), positions=positions)


def write_bert(folder: Path, words: Sequence[str], *, positions: int, hidden_size: int = 16, layers: int = 1) -> Path:
    """Write a random BERT with the words as its vocabulary, in their order."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * hidden_size,
        max_position_embeddings=positions,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


def make_model(
    folder: Path,
    encoder: Path,
    labels: Sequence[str],
    known: Iterable[dict[str, Any]] | None,
    *,
    prior: bool = False,
) -> Path:
    """Write an untrained span model with target labels and one extension label.

    `known` are the rows of its training sentences by its record. With None, it has no record. About every second cell
    is a span for it or, with `prior`, hardly any, as for any new model.
    """
    import torch

    from utils.ner.config import NerConfig
    from utils.ner.model.checkpoint import save_model
    from utils.ner.model.encoder import load_encoder, load_tokenizer
    from utils.ner.model.span_model import SpanModel

    config = NerConfig(
        labels=("O", *labels, "NOUN"),
        num_target_labels=len(labels),
        cnn_dim=40,
        biaffine_size=24,
        size_embed_dim=5,
        cnn_depth=1,
    )
    torch.manual_seed(1)
    model = SpanModel(load_encoder(str(encoder)), config).eval()
    if not prior:
        torch.nn.init.zeros_(model.down_fc.bias)
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, load_tokenizer(str(encoder)), folder)
    if known is not None:
        write_json(folder / "training.json", {"sentences": [text_hash(row["text"]) for row in known]})
    return folder


def words_of(rows: Iterable[dict[str, Any]]) -> set[str]:
    """Return the words of rows in lower case, as in an uncased vocabulary."""
    return {token.lower() for row in rows for token in row["text"]}
