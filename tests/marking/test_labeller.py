"""Target labels that a model gives to synthetic sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.builders import sentence
from utils.dataset.records import Span
from utils.marking.labeller import TargetLabeller


class EndsPredictor:
    """A predictor that labels the first token of every text PER and the last NOUN, and records the texts."""

    def __init__(self):
        self.seen = []

    def __call__(self, texts):
        self.seen.append(list(texts))
        return [
            [Span(0, 1, "PER", score=0.75), Span(len(text) - 1, len(text), "NOUN", score=0.5)] if text else []
            for text in texts
        ]


@pytest.fixture
def predictor():
    return EndsPredictor()


def test_a_labelled_row_keeps_its_keys_and_gets_spans_with_origin_and_score(predictor):
    one = sentence("a b", id="1-1")
    one = replace(one, row={**one.row, "id": "1-1", "source": 1, "synthetic": True})
    rows = TargetLabeller(predictor, {"PER"}).label([one])
    assert rows == [
        {
            "text": ["a", "b"],
            "entities": [{"start": 0, "end": 1, "entity": "PER", "text": ["a"], "origin": "ner", "score": 0.75}],
            "id": "1-1",
            "source": 1,
            "synthetic": True,
        }
    ]


def test_other_labels_are_dropped(predictor):
    rows = TargetLabeller(predictor, {"NOUN"}).label([sentence("a b")])
    assert [row["entity"] for row in rows[0]["entities"]] == ["NOUN"]


def test_earlier_spans_are_replaced(predictor):
    rows = TargetLabeller(predictor, {"PER"}).label([sentence("a b", (1, 2, "LOC"))])
    assert [(row["start"], row["entity"]) for row in rows[0]["entities"]] == [(0, "PER")]


def test_a_text_in_several_sizes_is_predicted_once(predictor):
    labeller = TargetLabeller(predictor, {"PER"})
    labeller.label([sentence("a b"), sentence("c d"), sentence("a b")])
    rows = labeller.label([sentence("c d"), sentence("e f")])
    assert predictor.seen == [[("a", "b"), ("c", "d")], [("e", "f")]]
    assert [row["text"] for row in rows] == [["c", "d"], ["e", "f"]]


def test_no_sentences_need_no_prediction(predictor):
    assert TargetLabeller(predictor, {"PER"}).label([]) == []
    assert predictor.seen == []
