"""Target labels that a model gives to synthetic sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.helpers.builders import sentence
from utils.dataset.records import Span
from utils.marking.labeller import TargetLabeller, Teachers
from utils.ner.prediction.judgement import Judgement


class EndsPredictor:
    """A predictor that labels the first token of every text PER and the last NOUN, and records the texts."""

    def __init__(self):
        self.seen = []

    def __call__(self, texts):
        self.seen.append(list(texts))
        yield from (_judgement(len(text)) for text in self.seen[-1])


def _judgement(words):
    spans = (Span(0, 1, "PER", score=0.75), Span(words - 1, words, "NOUN", score=0.5)) if words else ()
    return Judgement(spans, (*spans, Span(0, words, "PER", score=0.02)))


def labeller_of(*judges, labels, threshold=0.5):
    return TargetLabeller(Teachers(judges, threshold, nested=False), labels)


def label(labeller, sentences, llm_spans=None):
    return list(labeller.label(sentences, llm_spans))


@pytest.fixture
def predictor():
    return EndsPredictor()


def test_a_labelled_row_keeps_its_keys_and_gets_spans_with_origin_and_score(predictor):
    one = sentence("a b", id="1-1")
    one = replace(one, row={**one.row, "id": "1-1", "source": 1, "synthetic": True})
    rows = label(labeller_of(predictor, labels={"PER"}), [one])
    assert rows == [
        {
            "text": ["a", "b"],
            "entities": [{"start": 0, "end": 1, "entity": "PER", "text": ["a"], "origin": "ner", "score": 0.75}],
            "id": "1-1",
            "source": 1,
            "synthetic": True,
            "target_scores": [
                {"start": 0, "end": 1, "entity": "PER", "score": 0.75},
                {"start": 0, "end": 2, "entity": "PER", "score": 0.02},
            ],
        }
    ]


def test_other_labels_are_dropped(predictor):
    rows = label(labeller_of(predictor, labels={"NOUN"}), [sentence("a b")])
    assert [row["entity"] for row in rows[0]["entities"]] == ["NOUN"]


def test_earlier_spans_are_replaced(predictor):
    rows = label(labeller_of(predictor, labels={"PER"}), [sentence("a b", (1, 2, "LOC"))])
    assert [(row["start"], row["entity"]) for row in rows[0]["entities"]] == [(0, "PER")]


def test_a_text_in_several_sizes_is_predicted_once(predictor):
    labeller = labeller_of(predictor, labels={"PER"})
    label(labeller, [sentence("a b"), sentence("c d"), sentence("a b")])
    rows = label(labeller, [sentence("c d"), sentence("e f")])
    assert predictor.seen == [[("a", "b"), ("c", "d")], [("e", "f")]]
    assert [row["text"] for row in rows] == [["c", "d"], ["e", "f"]]


def test_the_longest_texts_come_first_and_the_rows_in_the_order_of_the_sentences(predictor):
    rows = label(labeller_of(predictor, labels={"PER"}), [sentence("a"), sentence("b c d"), sentence("e f")])
    assert predictor.seen == [[("b", "c", "d"), ("e", "f"), ("a",)]]
    assert [row["text"] for row in rows] == [["a"], ["b", "c", "d"], ["e", "f"]]


def test_no_sentences_need_no_prediction(predictor):
    assert label(labeller_of(predictor, labels={"PER"}), []) == []
    assert predictor.seen == []


def test_several_models_label_by_the_mean_of_their_scores():
    def doubtful(texts):
        return [Judgement((), (Span(0, 1, "PER", score=0.35), Span(1, 2, "PER", score=0.01))) for _ in texts]

    (row,) = label(labeller_of(EndsPredictor(), doubtful, labels={"PER"}, threshold=0.5), [sentence("a b")])
    assert [(span["start"], span["score"]) for span in row["entities"]] == [(0, 0.55)]
    assert [(cell["start"], cell["end"], cell["score"]) for cell in row["target_scores"]] == [(0, 1, 0.55)]


def test_spans_of_the_llm_are_added_where_it_was_asked(predictor):
    spans = {"1": (Span(1, 2, "PER", "llm"), Span(0, 1, "NOUN", "llm"))}
    first, second = label(labeller_of(predictor, labels={"PER"}), [sentence("a b"), sentence("c d", id="2")], spans.get)
    assert first["llm_spans"] == [{"start": 1, "end": 2, "entity": "PER"}]
    assert "llm_spans" not in second
