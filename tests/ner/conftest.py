"""Tiny random encoders, and sentences that a tiny model can learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.builders import call
from tests.helpers.span_models import write_bert
from tests.helpers.tiny_encoder import MAX_POSITIONS, WORDS, annotated
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import write_rows
from utils.ner.config import NerConfig
from utils.ner.model.encoder import load_encoder, load_tokenizer
from utils.ner.model.span_model import SpanModel
from utils.ner.prediction.predictor import SpanNer

SMALL: dict[str, Any] = {"cnn_dim": 40, "biaffine_size": 24, "size_embed_dim": 5, "cnn_depth": 2}


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def small_heads() -> Iterator[None]:
    """Let the trainings of a module build small layers above the encoder: those of the paper take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("utils.ner.training.trainer.NerConfig", partial(NerConfig, **SMALL))
        yield


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with two layers that reads at most 24 word pieces."""
    return write_bert(tmp_path_factory.mktemp("encoder"), WORDS, positions=MAX_POSITIONS, hidden_size=32, layers=2)


@pytest.fixture
def make_ner(encoder_folder: Path) -> Callable[..., SpanNer]:
    """Return a function that builds untrained models with small layers and scores around 0."""

    def build(**settings: Any) -> SpanNer:
        torch.manual_seed(1)
        labels: dict[str, Any] = {"labels": ("O", "PER", "LOC", "NOUN"), "num_target_labels": 2}
        config = NerConfig(**{**labels, **SMALL, **settings})
        model = SpanModel(load_encoder(str(encoder_folder)), config).eval()
        torch.nn.init.zeros_(model.down_fc.bias)
        return SpanNer(model, load_tokenizer(str(encoder_folder)))

    return build


@pytest.fixture(scope="session")
def sentences() -> list[Sentence]:
    """Eight sentences with annotated names; one is empty, and one has no name."""
    texts = [
        "anna sees bert",
        "bert likes paris",
        "anna likes rome and paris",
        "the rome",
        "anna and bert in rome",
        "sees the",
        "",
        "paris likes anna",
    ]
    kinds = {"anna": "PER", "bert": "PER", "paris": "LOC", "rome": "LOC"}
    return [
        Sentence(
            id=str(number),
            tokens=tuple(text.split()),
            spans=tuple(Span(at, at + 1, kinds[word]) for at, word in enumerate(text.split()) if word in kinds),
        )
        for number, text in enumerate(texts, start=1)
    ]


@pytest.fixture(scope="session")
def learnt(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that has learnt the names of `sentences`, even at the end of a long text."""
    texts = [
        "anna sees bert in rome",
        "bert likes paris",
        "the rome and the paris",
        "sees the anna and rome",
        "the anna sees rome",
        "the " * 30 + "anna",
    ]
    rows = annotated(texts)
    folder = tmp_path_factory.mktemp("learnt")
    write_rows(folder / "train.jsonl", rows)
    (folder / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    data = {"train": folder / "train.jsonl", "dev": folder / "train.jsonl", "labels": folder / "labels.txt"}
    how = {
        "from_pretrained": encoder_folder,
        "save_dir": folder,
        "n_gpu": -1,
        "lr": 0.003,
        "epochs": 1,
        "min_steps": 200,
    }
    with pytest.MonkeyPatch.context() as patch:  # only large layers are sure of every name after so few steps
        patch.setattr("utils.ner.training.trainer.NerConfig", NerConfig)
        call("train", **data, **how)
    return folder / "best"
