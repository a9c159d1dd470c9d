"""Datasets are checked completely, and each error names the line and the remedy."""

from __future__ import annotations

import pytest

from tests.helpers.builders import CHINESE, ENGLISH, sentence, write_rows
from utils.dataset.reading import read_dataset, read_labels, read_sentences
from utils.dataset.records import sentence_to_row
from utils.dataset.tokens import CHARACTERS, WORDS


def read(folder, **options):
    return read_dataset(folder / "train_1000.jsonl", folder / "labels.txt", **options)


@pytest.mark.parametrize(("corpus", "tokenisation"), [(ENGLISH, WORDS), (CHINESE, CHARACTERS)])
def test_a_dataset_is_read_with_its_labels_and_tokenisation(tmp_path, corpus, tokenisation):
    dataset = read(corpus.write(tmp_path))
    assert dataset.tokenisation == tokenisation
    assert dataset.labels == ("O", *corpus.labels)
    assert dataset.targets == corpus.labels
    assert [sentence_to_row(one) for one in dataset.sentences] == corpus.rows


def test_a_given_tokenisation_is_not_overridden_by_the_tokens(tmp_path):
    assert read(ENGLISH.write(tmp_path), tokenisation=CHARACTERS).tokenisation == CHARACTERS


def test_ids_are_sentence_numbers_from_one_and_empty_lines_do_not_count(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text('\n{"text": ["a"], "entities": []}\n\n{"text": ["b"], "entities": []}\n', encoding="utf-8")
    assert [(one.id, one.tokens) for one in read_sentences(path, tokenisation=WORDS)] == [
        ("1", ("a",)),
        ("2", ("b",)),
    ]


def test_ids_of_synthetic_sentences_are_those_of_their_rows(tmp_path):
    path = write_rows(tmp_path / "s.jsonl", [{"id": "17-2", "text": ["a"], "entities": []}])
    assert [one.id for one in read_sentences(path, tokenisation=WORDS, ids_from_rows=True)] == ["17-2"]


@pytest.mark.parametrize("id_", [None, 17, ["17"]])
def test_a_synthetic_row_without_an_id_is_refused_with_its_line(tmp_path, id_):
    path = write_rows(tmp_path / "s.jsonl", [{"id": id_, "text": ["a"], "entities": []}])
    with pytest.raises(ValueError, match=r's\.jsonl:1: "id" is missing'):
        read_sentences(path, tokenisation=WORDS, ids_from_rows=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the first line must be O, found 'nothing'"),
        ("PER\nO\n", "the first line must be O, found 'PER'"),
        ("O\n", "there is no target label"),
        ("O\nPER\nLOC\nPER\n", "'PER' is listed twice"),
        ("O\nPER\nO\n", "'O' is listed twice"),
    ],
)
def test_an_invalid_labels_file_is_refused_with_the_reason(tmp_path, content, message):
    (tmp_path / "labels.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_labels(tmp_path / "labels.txt")


def test_labels_are_read_without_byte_order_mark_spaces_and_carriage_returns(tmp_path):
    (tmp_path / "labels.txt").write_bytes("\ufeffO\r\n PER.NAM \r\n\r\n地名\r\n".encode())
    assert read_labels(tmp_path / "labels.txt") == ["O", "PER.NAM", "地名"]


def test_the_error_of_a_missing_dataset_names_the_flags(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is missing: --file_dir and --file_name must name"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["train_1000.jsonl", "labels.txt"])
def test_the_error_of_a_missing_file_names_it(tmp_path, name):
    folder = ENGLISH.write(tmp_path)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing: "):
        read(folder)


def test_a_dataset_without_a_sentence_is_refused(tmp_path):
    folder = ENGLISH.write(tmp_path)
    (folder / "train_1000.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="contains no sentences"):
        read(folder)


@pytest.mark.parametrize("label", ["PLACE", "O", "person"])
def test_a_label_that_is_not_in_the_labels_file_is_refused_with_its_line(tmp_path, label):
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", [ENGLISH.rows[0], sentence_to_row(sentence("a b", (0, 1, label)))])
    with pytest.raises(ValueError, match=rf"train_1000\.jsonl:2: entity 1: '{label}' is not a label of labels\.txt"):
        read(folder)


def test_a_span_out_of_range_is_refused_with_its_line(tmp_path):
    folder = ENGLISH.write(tmp_path)
    write_rows(folder / "train_1000.jsonl", [sentence_to_row(sentence("a b", (0, 3, "PERSON")))])
    with pytest.raises(ValueError, match=r"train_1000\.jsonl:1: entity 1 ends at 3, but the sentence has 2 tokens"):
        read(folder)


def test_a_span_with_another_text_causes_a_warning_and_its_offsets_are_used(tmp_path, caplog):
    row = {"text": ["a", "b"], "entities": [{"start": 0, "end": 1, "entity": "X", "text": ["b"]}]}
    path = write_rows(tmp_path / "train.jsonl", [row])
    assert read_sentences(path, tokenisation=WORDS)[0].spans[0].start == 0
    assert "1 spans have a" in caplog.text
    assert "train.jsonl:1" in caplog.text


def test_a_text_that_differs_only_in_spaces_causes_no_warning(tmp_path, caplog):
    row = {"text": ["a", "b"], "entities": [{"start": 0, "end": 2, "entity": "X", "text": "a b"}]}
    read_sentences(write_rows(tmp_path / "train.jsonl", [row]), tokenisation=WORDS)
    assert not caplog.text
