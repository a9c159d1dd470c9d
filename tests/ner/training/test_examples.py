"""Training sentences that stay in their file, and examples that are made when a step needs them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from tests.helpers.builders import write_rows
from utils.dataset.reading import read_sentences
from utils.dataset.records import sentence_to_row
from utils.dataset.sentence_file import open_sentences
from utils.dataset.tokens import WORDS
from utils.ner.training import examples as examples_module
from utils.ner.training.data import NerData, read_ner_data
from utils.ner.training.examples import Examples, indices_of_epoch, shuffled_batches
from utils.ner.training.record import data_fingerprint, training_record
from utils.ner.training.settings import TrainSettings, make_plan
from utils.ner.training.trainer import Trainer, TrainRun

SETTINGS = TrainSettings(epochs=1, min_steps=7, batch_size=3)


@pytest.fixture
def train(sentences, tmp_path):
    """A file of training sentences: each one three times, once as a synthetic sentence."""
    made = [{**sentence_to_row(one), "synthetic": True, "source": 1} for one in sentences]
    write_rows(tmp_path / "train.jsonl", [*map(sentence_to_row, sentences * 2), *made])
    (tmp_path / "labels.txt").write_text("O\nPER\nLOC\n", encoding="utf-8")
    return tmp_path / "train.jsonl"


def read(train, *, dev=None):
    return read_ner_data(train, dev or train, train.with_name("labels.txt"), tokenisation=WORDS, seed=0)


def losses(data, encoder, folder, settings=SETTINGS):
    """Train, and return the rows of the log without times."""
    run = TrainRun(str(encoder), folder, torch.device("cpu"))
    trainer = Trainer(data, settings, run, training_record(data, settings, str(encoder)))
    trainer.train()
    return [{key: value for key, value in row.items() if key != "seconds"} for row in trainer.history]


def test_sentences_of_an_open_file_are_those_that_are_read(train):
    expected = read_sentences(train, tokenisation=WORDS)
    opened = open_sentences(train, tokenisation=WORDS)
    train.rename(train.with_name("old"))  # a step replaced the file
    write_rows(train, [])
    assert list(opened) == expected
    assert (opened[-1], list(opened[2:7:2])) == (expected[-1], expected[2:7:2])
    with pytest.raises(IndexError):
        opened[len(expected)]


@pytest.mark.parametrize("order", ["mixed", "synthetic_first"])
def test_losses_by_offsets_are_those_of_training_in_memory(train, encoder_folder, tmp_path, monkeypatch, order):
    settings = replace(SETTINGS, order=order)
    data = read(train)
    in_memory = NerData(list(data.train), list(data.dev), data.labels, data.tokenisation)
    expected = losses(in_memory, encoder_folder, tmp_path / "memory", settings)
    monkeypatch.setattr(examples_module, "MAX_KEPT", 5)  # the others are made again for each step
    assert losses(data, encoder_folder, tmp_path / "file", settings) == expected
    assert expected[-1]["loss"] > 0


def test_batches_are_those_of_shuffled_examples(train, make_ner):
    """The order in which earlier versions shuffled the examples themselves."""
    examples = Examples(read(train).train, make_ner().words, ("O", "PER", "LOC"))
    everything = range(len(examples))
    old = random.Random("0 1")
    order = old.sample(list(enumerate(examples)), len(examples))
    order.sort(key=lambda one: one[1].window.words)  # all are in one pool
    batches = old.sample([order[start : start + 3] for start in everything[::3]], len(everything[::3]))
    found = shuffled_batches(everything, examples.lengths, 3, random.Random("0 1"))
    assert found == [[index for index, _ in batch] for batch in batches]


def test_half_of_the_epochs_has_synthetic_examples_only(train, make_ner):
    examples = Examples(read(train).train, make_ner().words, ("O", "PER", "LOC"))
    number, synthetic = len(examples), sum(examples.is_synthetic)
    plan = replace(make_plan(SETTINGS, number), epochs=2)
    assert list(indices_of_epoch(examples, 0, plan, "mixed")) == list(range(number))
    assert indices_of_epoch(examples, 0, plan, "synthetic_first") == [*range(number - synthetic, number)] * 3
    original = number - synthetic
    assert indices_of_epoch(examples, 1, plan, "synthetic_first") == [*range(original), *range(number - original)]


def test_examples_that_are_made_again_equal_those_that_are_kept(train, make_ner, monkeypatch):
    words, labels = make_ner().words, ("O", "PER", "LOC")
    kept = Examples(read(train).train, words, labels, 0.5)
    monkeypatch.setattr(examples_module, "MAX_KEPT", 0)
    made = Examples(read(train).train, words, labels, 0.5)
    assert list(made) == list(kept)
    assert made[-3:] == kept[-3:]
    assert {example.weight for example in made} == {1.0, 0.5}


def test_the_fingerprint_of_a_file_is_that_of_its_sentences(train):
    data = read(train)
    assert data_fingerprint(data.train) == data_fingerprint(list(data.train))
    assert data_fingerprint(data.train) != data_fingerprint(data.train[1:])
