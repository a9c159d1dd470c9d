"""Trained models of s7: what their folders hold, and which size each may label."""

from __future__ import annotations

import pytest

from tests.helpers.builders import sentence, write_json
from utils.dataset.tokens import text_hash
from utils.marking.trained_model import TrainedModel, check_leaks, common_targets, find_model

OWN = [sentence("a b"), sentence("c d", id="2")]


@pytest.fixture
def folder(tmp_path):
    """A trained model's folder, as train_ner.py leaves it."""
    write_json(tmp_path / "best" / "config.json", {"labels": ["O", "PER", "LOC", "NOUN"], "num_target_labels": 2})
    write_json(tmp_path / "best" / "training.json", {"sentences": [text_hash(["a", "b"])]})
    (tmp_path / "best" / "model.safetensors").touch()
    return tmp_path / "best"


def test_a_folder_is_read_as_targets_sentences_and_files(folder):
    model = find_model(folder)
    assert model.targets == ("PER", "LOC")
    assert model.sentences == {text_hash(["a", "b"])}
    assert [file.name for file in model.files] == ["config.json", "model.safetensors"]


def test_a_model_without_a_tokenizer_depends_on_that_of_the_base_encoder(folder, tmp_path):
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    (encoder / "vocab.txt").touch()
    assert (encoder / "vocab.txt") in find_model(folder, str(encoder)).files
    (folder / "tokenizer.json").touch()
    assert (encoder / "vocab.txt") not in find_model(folder, str(encoder)).files


def test_a_missing_folder_is_reported_with_the_script_that_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none has no config\.json: train a model with train_ner\.py first"):
        find_model(tmp_path / "none")


@pytest.mark.parametrize("config", [{}, [], {"num_target_labels": 1}])
def test_a_folder_of_another_kind_of_model_is_refused(folder, config):
    write_json(folder / "config.json", config)
    with pytest.raises(ValueError, match=r"config\.json has no labels: (it is not the config|copy the label file)"):
        find_model(folder)


def test_labels_without_the_number_of_targets_are_refused(folder):
    write_json(folder / "config.json", {"labels": ["O", "PER", "NOUN"]})
    with pytest.raises(ValueError, match="num_target_labels a whole number"):
        find_model(folder)


def test_labels_of_a_public_checkpoint_are_read_from_its_label_file(folder):
    write_json(folder / "config.json", {"model_type": "bert"})
    write_json(folder / "label.json", {"O": 0, "PER": 1, "LOC": 2})
    model = find_model(folder)
    assert model.targets == ("PER", "LOC")
    assert [file.name for file in model.files] == ["config.json", "model.safetensors", "label.json"]


@pytest.mark.parametrize("record", [{}, [], {"step": "train_ner"}])
def test_a_training_record_without_sentences_is_reported(folder, record):
    write_json(folder / "training.json", record)
    try:
        assert find_model(folder).sentences is None
    except ValueError as error:
        assert "training.json" in str(error)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], None),
        (["a b"], None),
        (["a b", "c d"], None),
        (["a b", "x y"], "1 of its 2 training sentences"),
        (["x", "y"], "2 of its 2 training sentences"),
    ],
)
def test_a_model_trained_on_other_sentences_leaks(folder, known, expected):
    model = TrainedModel(folder, ("PER",), 0.5, False, frozenset(text_hash(text.split()) for text in known))
    reason = model.leak_reason(OWN)
    assert (reason is None) if expected is None else (reason or "").startswith(expected)


def test_a_model_without_a_record_may_leak(folder):
    (folder / "training.json").unlink()
    reason = find_model(folder).leak_reason(OWN)
    assert reason is not None
    assert "no training.json" in reason


def test_a_shared_model_that_leaks_is_used_with_a_warning(folder, caplog):
    model = TrainedModel(folder, ("PER",), 0.5, False, None)
    reason = check_leaks(model, OWN, "250", refuse=False)
    assert reason is not None
    assert "no training.json" in reason
    assert "size 250 is labelled by" in caplog.text


def test_a_model_of_one_size_that_leaks_is_refused(folder):
    model = TrainedModel(folder, ("PER",), 0.5, False, frozenset({text_hash(["x"])}))
    with pytest.raises(ValueError, match=r"cannot label size 250: 1 of its 1 training sentence is .*--size=250"):
        check_leaks(model, OWN, "250", refuse=True)


@pytest.mark.parametrize("refuse", [False, True])
def test_a_model_trained_on_the_size_is_used_without_a_warning(folder, caplog, refuse):
    assert check_leaks(find_model(folder), OWN, "250", refuse=refuse) is None
    assert not caplog.records


def test_labels_not_in_the_dataset_are_skipped_with_a_warning_that_names_both_lists(folder, caplog):
    assert common_targets(find_model(folder), ["LOC", "ORG"]) == {"LOC"}
    assert len(caplog.records) == 1
    assert "PER, LOC" in caplog.text
    assert "LOC, ORG" in caplog.text


def test_labels_of_the_dataset_are_used_without_a_warning(folder, caplog):
    assert common_targets(find_model(folder), ["LOC", "PER", "ORG"]) == {"LOC", "PER"}
    assert not caplog.records


def test_no_common_label_is_an_error_that_names_both_lists(folder):
    with pytest.raises(ValueError, match=r"predicts no label of this dataset: .* PER, LOC; .* ORG"):
        common_targets(find_model(folder), ["ORG"])
