"""Untrained span models and random sentences of a given size, which `ner.py` measures."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import BertConfig, BertModel, BertTokenizerFast

from utils.dataset.records import Sentence, Span
from utils.ner import SpanNer
from utils.ner.config import Architecture, NerConfig
from utils.ner.model.encoder import load_encoder, load_tokenizer, max_pieces
from utils.ner.model.span_model import SpanModel
from utils.ner.model.word_pieces import Batch
from utils.ner.training.examples import Examples, TrainingExample
from utils.ner.training.learner import seed_all

TARGETS = 8
SPAN_SHARE = 1e-3  # share of all pairs of words that the untrained model predicts as spans
VOCABULARY = 8000


@dataclass(frozen=True, slots=True)
class Case:
    """A size to measure. The encoder is random if `encoder` is None; the file `texts` has characters and lengths."""

    span_model: Architecture
    words: int
    labels: int
    encoder: str | None
    texts: Path
    predicted: int  # sentences per batch of a prediction
    repeats: int
    threads: int


def build(case: Case) -> SpanNer:
    """Return an untrained model that predicts about one in a thousand pairs of words as a span."""
    torch.set_num_threads(case.threads)
    seed_all(0)
    config = NerConfig(("O", *map(str, range(case.labels))), TARGETS, span_model=case.span_model)
    if case.encoder:
        ner = SpanNer(SpanModel(load_encoder(case.encoder), config), load_tokenizer(case.encoder))
    else:
        encoder, tokenizer = random_encoder(case.texts)
        ner = SpanNer(SpanModel(encoder, config), tokenizer)
    ner.model.eval()
    with torch.no_grad():
        logits = upper(ner.model(batch_of(ner, examples_of(ner, sentences(case, [32]))))[0], 32)
        ner.model.down_fc.bias.sub_(logits[:, :TARGETS].max(dim=-1).values.quantile(1 - SPAN_SHARE))
    return ner


SIZES = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 1536}


def random_encoder(texts: Path, sizes: Mapping[str, int] = SIZES) -> tuple[BertModel, BertTokenizerFast]:
    """Return a random BERT of some sizes, and a tokenizer with the characters of a file."""
    known = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted({c for tokens in read_tokens(texts) for c in tokens}),
    ]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("\n".join(known) + "\n", encoding="utf-8")
        tokenizer = BertTokenizerFast(str(file), clean_up_tokenization_spaces=False)
    return BertModel(BertConfig(vocab_size=VOCABULARY, **sizes), add_pooling_layer=False), tokenizer


def read_tokens(file: Path) -> list[list[str]]:
    return [list(json.loads(line)["text"]) for line in file.read_text(encoding="utf-8").splitlines()]


def sentences(case: Case, lengths: Sequence[int]) -> list[Sentence]:
    """Return sentences of random characters from the texts, with a span at every tenth character."""
    draw = random.Random(0)
    characters = [character for tokens in read_tokens(case.texts) for token in tokens for character in token]
    return [
        Sentence(
            id=str(number),
            tokens=tuple(draw.choices(characters, k=length)),
            spans=tuple(
                Span(start, min(start + draw.randint(1, 4), length), str(draw.randrange(case.labels)))
                for start in range(0, length, 10)
            ),
        )
        for number, length in enumerate(lengths)
    ]


def examples_of(ner: SpanNer, chosen: Sequence[Sentence]) -> list[TrainingExample]:
    """Return one example for each sentence; raise ValueError if a sentence does not fit into the encoder."""
    examples = Examples(chosen, ner.words, ner.labels)
    if len(examples) > len(chosen):
        raise ValueError(
            f"the encoder reads {max_pieces(ner.model.bert)} pieces at once, too few for sentences of "
            f"{max(len(sentence.tokens) for sentence in chosen)} words: give shorter --lengths"
        )
    return list(examples)


def batch_of(ner: SpanNer, examples: Sequence[TrainingExample]) -> Batch:
    return ner.words.collate([example.window for example in examples])


def upper(logits: Tensor, words: int) -> Tensor:
    """Return the logits of one sentence's spans, (spans, labels)."""
    return logits[torch.triu_indices(words, words).unbind()]
