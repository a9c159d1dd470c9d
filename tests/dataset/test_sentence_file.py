"""Sentences that stay in their file are the same as those that are read at once."""

from __future__ import annotations

import json
from array import array
from typing import Any

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, write_rows
from utils.dataset.reading import read_dataset, read_synthetic
from utils.dataset.sentence_file import SelectedSentences, SentenceFile, open_dataset, open_sentences, open_synthetic
from utils.dataset.tokens import WORDS, text_hash

ROWS: list[dict[str, Any]] = [
    {"text": ["Anna", "lives", "in", "Oslo"], "entities": [{"start": 3, "end": 4, "entity": "LOC"}]},
    {"text": "a plain string", "entities": []},
    {"text": [], "entities": [], "note": "kept"},
]


@pytest.fixture
def folder(tmp_path):
    write_rows(tmp_path / "train_1000.jsonl", ROWS)
    (tmp_path / "labels.txt").write_text("O\nLOC\n", encoding="utf-8")
    return tmp_path


def both(folder):
    files = folder / "train_1000.jsonl", folder / "labels.txt"
    return read_dataset(*files), open_dataset(*files)


@pytest.mark.parametrize("data", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_an_open_dataset_is_the_same_as_one_in_memory(tmp_path, data):
    read, opened = both(data.write(tmp_path))
    assert list(opened.sentences) == list(read.sentences)
    assert (opened.labels, opened.tokenisation, opened.language) == (read.labels, read.tokenisation, read.language)


@pytest.mark.parametrize("first", ["list", "string"])
def test_the_tokenisation_is_that_of_the_whole_file(folder, first):
    rows = ROWS if first == "list" else ROWS[::-1]
    write_rows(
        folder / "train_1000.jsonl", [*rows, {"text": "北京很大很大很大很大很大很大很大很大很大" * 9, "entities": []}]
    )
    read, opened = both(folder)
    assert list(opened.sentences) == list(read.sentences)
    assert opened.tokenisation == read.tokenisation


def test_sentences_are_found_by_their_number_and_keep_it_in_a_slice(folder):
    path = folder / "train_1000.jsonl"
    path.write_text("\n" + path.read_text(encoding="utf-8").replace("\n", "\n\n"), encoding="utf-8")
    sentences = open_dataset(path, folder / "labels.txt").sentences
    assert len(sentences) == 3
    assert sentences[-1].row["note"] == "kept"
    assert [one.id for one in sentences[1:]] == ["2", "3"]
    assert sentences[1:][1:][0].id == "3"
    assert [one.id for one in SelectedSentences(sentences, array("q", [2, 0]))] == ["3", "1"]
    with pytest.raises(IndexError):
        sentences[3]


def test_the_hashes_are_those_of_the_texts(folder):
    sentences = open_dataset(folder / "train_1000.jsonl", folder / "labels.txt").sentences
    assert isinstance(sentences, SentenceFile)
    assert list(sentences.text_hashes()) == [(one.id, text_hash(one.tokens)) for one in sentences]
    assert list(sentences[1:].text_hashes()) == list(sentences.text_hashes())[1:]


def test_synthetic_sentences_keep_the_ids_of_their_rows(tmp_path):
    rows = [{"id": f"{n}-2", "source": n, "text": ["x", str(n)], "entities": []} for n in (3, 1)]
    path = write_rows(tmp_path / "synthetic.jsonl", rows)
    sentences = open_synthetic(path, tokenisation=WORDS)
    assert list(sentences) == read_synthetic(path, tokenisation=WORDS)
    assert isinstance(sentences, SentenceFile)
    assert [id_ for id_, _ in sentences.text_hashes()] == ["3-2", "1-2"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not valid JSON"),
        (b'{"text": ["a"], "entities": [{"start": 0, "end": 2, "entity": "LOC"}]}', "ends at 2"),
        (b'{"text": ["a"], "entities": [{"start": 0, "end": 1, "entity": "PER"}]}', "'PER' is not a label"),
        (b'{"text": ["a", 1], "entities": []}', "must be a list of tokens"),
        (b'{"text": ["a", "b\\ud800"], "entities": []}', "token 2 contains a lone surrogate"),
        (b'{"text": ["a\\u0000"], "entities": []}', "token 1 contains a NUL"),
    ],
)
def test_a_wrong_line_is_named_when_the_file_is_opened(folder, line, message):
    path = folder / "train_1000.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(ValueError, match=rf"train_1000\.jsonl:4: .*{message}"):
        open_dataset(path, folder / "labels.txt")


def test_a_file_that_changes_during_the_run_stops_it(folder):
    path = folder / "train_1000.jsonl"
    sentences = open_sentences(path, tokenisation=WORDS)
    path.write_text(json.dumps(ROWS[1]) + "\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"train_1000\.jsonl was changed during the run"):
        list(sentences)
    with pytest.raises(RuntimeError, match="was changed during the run"):
        sentences[0]


def test_a_file_that_is_deleted_during_the_run_can_still_be_read(folder):
    sentences = open_sentences(folder / "train_1000.jsonl", tokenisation=WORDS)
    (folder / "train_1000.jsonl").unlink()
    assert [one.tokens for one in sentences] == [("Anna", "lives", "in", "Oslo"), ("a", "plain", "string"), ()]


def test_sentences_that_are_also_held_out_cause_a_warning(folder, caplog):
    test = write_rows(folder / "test.jsonl", [{"text": ["Anna", "Lives", "in", "Oslo"], "entities": []}])
    open_dataset(folder / "train_1000.jsonl", folder / "labels.txt", held_out=[folder / "dev.jsonl", test])
    assert f"1 sentence of {test} is also in the training file" in caplog.text
