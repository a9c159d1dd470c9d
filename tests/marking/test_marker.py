"""Target labels for synthetic sentences: which model may mark what, and what it writes."""

from __future__ import annotations

import pytest

from tests.helpers.builders import sentence, write_json
from utils.dataset.records import Span, text_hash
from utils.marking.marker import Marker, TrainedModel, check_origin, common_targets, find_model

OWN = [sentence("a b"), sentence("c d", id="2")]


@pytest.fixture
def folder(tmp_path):
    """A trained model's folder, as train_ner.py leaves it."""
    write_json(tmp_path / "best" / "config.json", {"labels": ["O", "PER", "LOC", "NOUN"], "num_target_labels": 2})
    write_json(tmp_path / "best" / "training.json", {"sentences": [text_hash(["a", "b"])]})
    (tmp_path / "best" / "model.safetensors").touch()
    return tmp_path / "best"


def test_a_models_folder_tells_its_targets_and_its_sentences(folder):
    model = find_model(folder)
    assert model.targets == ("PER", "LOC")
    assert model.sentences == {text_hash(["a", "b"])}
    assert [file.name for file in model.files] == ["config.json", "model.safetensors"]


def test_a_folder_that_does_not_exist_is_named_with_what_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none has no config\.json: train it with train_ner\.py first"):
        find_model(tmp_path / "none")


@pytest.mark.parametrize("config", [{}, [], {"num_target_labels": 1}])
def test_a_folder_of_another_model_is_refused(folder, config):
    write_json(folder / "config.json", config)
    with pytest.raises(ValueError, match=r"config\.json names no labels: (not the config|copy the file)"):
        find_model(folder)


def test_labels_without_the_number_of_targets_are_refused(folder):
    write_json(folder / "config.json", {"labels": ["O", "PER", "NOUN"]})
    with pytest.raises(ValueError, match="num_target_labels a whole number"):
        find_model(folder)


def test_the_labels_of_a_checkpoint_of_the_public_code_stand_in_the_file_beside_it(folder):
    write_json(folder / "config.json", {"model_type": "bert"})
    write_json(folder / "label.json", {"O": 0, "PER": 1, "LOC": 2})
    model = find_model(folder)
    assert model.targets == ("PER", "LOC")
    assert [file.name for file in model.files] == ["config.json", "model.safetensors", "label.json"]


@pytest.mark.parametrize("record", [{}, [], {"step": "train_ner"}])
def test_a_training_record_without_sentences_says_nothing_or_is_named(folder, record):
    write_json(folder / "training.json", record)
    try:
        assert find_model(folder).sentences is None
    except ValueError as error:
        assert "training.json" in str(error)


@pytest.mark.parametrize(
    ("known", "foreign"),
    [
        ([], None),
        (["a b"], None),
        (["a b", "c d"], None),
        (["a b", "x y"], "1 of its 2 training sentences"),
        (["x", "y"], "2 of its 2 training sentences"),
    ],
)
def test_a_model_is_foreign_where_it_was_trained_on_other_sentences(folder, known, foreign):
    model = TrainedModel(folder, ("PER",), frozenset(text_hash(text.split()) for text in known))
    reason = model.foreign_to(OWN)
    assert (reason is None) if foreign is None else reason.startswith(foreign)


def test_a_model_without_a_record_is_foreign(folder):
    (folder / "training.json").unlink()
    assert "no training.json" in find_model(folder).foreign_to(OWN)


def test_a_single_foreign_model_is_used_with_a_warning_and_a_note(folder, caplog):
    model = TrainedModel(folder, ("PER",), None)
    note = check_origin(model, OWN, "250", must_fit=False)
    assert "no training.json" in note
    assert "size 250 is marked by" in caplog.text


def test_a_foreign_model_of_a_size_is_refused(folder):
    model = TrainedModel(folder, ("PER",), frozenset({text_hash(["x"])}))
    with pytest.raises(ValueError, match=r"cannot mark size 250: 1 of its 1 training sentences .*--size=250"):
        check_origin(model, OWN, "250", must_fit=True)


@pytest.mark.parametrize("must_fit", [False, True])
def test_a_model_of_the_sizes_own_sentences_is_used_without_a_word(folder, caplog, must_fit):
    assert check_origin(find_model(folder), OWN, "250", must_fit=must_fit) is None
    assert not caplog.records


def test_labels_that_the_dataset_has_not_are_left_out_with_a_warning_that_names_both_lists(folder, caplog):
    assert common_targets(find_model(folder), ["LOC", "ORG"]) == {"LOC"}
    assert len(caplog.records) == 1
    assert "PER, LOC" in caplog.text
    assert "LOC, ORG" in caplog.text


def test_labels_that_the_dataset_has_as_well_are_used_without_a_word(folder, caplog):
    assert common_targets(find_model(folder), ["LOC", "PER", "ORG"]) == {"LOC", "PER"}
    assert not caplog.records


def test_no_common_label_is_an_error_that_names_both_lists(folder):
    with pytest.raises(ValueError, match=r"knows no label of this dataset: .* PER, LOC; .* ORG"):
        common_targets(find_model(folder), ["ORG"])


@pytest.fixture
def predictor():
    """Marks the first token of every text as PER and the last as NOUN, and remembers what it was given."""

    def predict(texts):
        predict.seen.append(list(texts))
        return [
            [Span(0, 1, "PER", score=0.75), Span(len(text) - 1, len(text), "NOUN", score=0.5)] if text else []
            for text in texts
        ]

    predict.seen = []
    return predict


def test_a_marked_line_keeps_its_keys_and_tells_the_spans_origin_and_score(predictor):
    one = sentence("a b", id="1-1")
    one.row.update(id="1-1", source=1, synthetic=True)
    rows = Marker(predictor, {"PER"}).rows([one])
    assert rows == [
        {
            "text": ["a", "b"],
            "entities": [{"start": 0, "end": 1, "entity": "PER", "text": ["a"], "origin": "ner", "score": 0.75}],
            "id": "1-1",
            "source": 1,
            "synthetic": True,
        }
    ]


def test_labels_that_are_not_asked_for_are_left_out(predictor):
    rows = Marker(predictor, {"NOUN"}).rows([sentence("a b")])
    assert [row["entity"] for row in rows[0]["entities"]] == ["NOUN"]


def test_what_stood_there_before_is_replaced_so_that_marking_twice_is_marking_once(predictor):
    marked = Marker(predictor, {"PER"}).rows([sentence("a b", (1, 2, "LOC"))])
    assert [(row["start"], row["entity"]) for row in marked[0]["entities"]] == [(0, "PER")]


def test_a_text_is_marked_once_however_many_sizes_it_belongs_to(predictor):
    marker = Marker(predictor, {"PER"})
    marker.rows([sentence("a b"), sentence("c d"), sentence("a b")])
    rows = marker.rows([sentence("c d"), sentence("e f")])
    assert predictor.seen == [[("a", "b"), ("c", "d")], [("e", "f")]]
    assert [row["text"] for row in rows] == [["c", "d"], ["e", "f"]]


def test_no_sentences_need_no_model(predictor):
    assert Marker(predictor, {"PER"}).rows([]) == []
    assert predictor.seen == []
