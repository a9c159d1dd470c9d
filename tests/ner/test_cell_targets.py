"""The values of cells that the loss expects of synthetic sentences with scores."""

from __future__ import annotations

import math

import pytest

from utils.dataset.records import Sentence, Span
from utils.ner.cell_targets import FOUND_BY_LLM, NOT_FOUND_BY_LLM, cell_targets

TARGETS = ("PER", "LOC")
SPANS = (Span(0, 1, "PER", "ner", 0.9), Span(3, 4, "LOC", "ner", 0.6), Span(2, 3, "VERB", "pos"))
SCORES = [
    {"start": 0, "end": 1, "entity": "PER", "score": 0.9},
    {"start": 3, "end": 4, "entity": "LOC", "score": 0.6},
    {"start": 1, "end": 2, "entity": "PER", "score": 0.2},
]
LLM = [{"start": 0, "end": 1, "entity": "PER"}, {"start": 4, "end": 5, "entity": "LOC"}]


def synthetic(**more):
    return Sentence("1-1", tuple("abcde"), SPANS, {"synthetic": True, "target_scores": SCORES, **more})


def values(kind, sentence=None):
    found = cell_targets(sentence or synthetic(llm_spans=LLM), TARGETS, kind)
    return {key: None if math.isnan(value) else round(value, 3) for key, value in found.items()}


def test_hard_targets_are_the_predicted_spans():
    assert values("hard") == {(0, 1, "PER"): 1, (3, 4, "LOC"): 1, (2, 3, "VERB"): 1}


def test_soft_targets_are_the_scores_and_leave_extension_spans():
    assert values("soft") == {(0, 1, "PER"): 0.9, (3, 4, "LOC"): 0.6, (1, 2, "PER"): 0.2, (2, 3, "VERB"): 1}


def test_spans_that_only_one_finds_are_unknown():
    assert values("agreed") == {(0, 1, "PER"): 1, (3, 4, "LOC"): None, (4, 5, "LOC"): None, (2, 3, "VERB"): 1}


def test_the_llm_raises_what_it_finds_and_lowers_the_rest():
    found = values("fused")
    assert found[0, 1, "PER"] > 0.9  # both
    assert found[3, 4, "LOC"] < 0.6  # the model alone
    assert 0.005 < found[4, 5, "LOC"] < 0.05  # the LLM alone
    assert found[2, 3, "VERB"] == 1


def test_a_span_of_the_llm_with_other_bounds_counts_by_its_overlap():
    def score(**llm):
        row = synthetic(target_scores=[{"start": 0, "end": 2, "entity": "PER", "score": 0.5}], llm_spans=[llm])
        return cell_targets(row, TARGETS, "fused")[0, 2, "PER"]

    exact = score(start=0, end=2, entity="PER")
    half = score(start=0, end=1, entity="PER")
    apart = score(start=2, end=4, entity="PER")
    assert exact > half > apart
    assert half == pytest.approx(1 / (1 + math.exp(-(FOUND_BY_LLM + NOT_FOUND_BY_LLM) / 2)))
    assert score(start=0, end=1, entity="LOC") == apart


@pytest.mark.parametrize(("kind", "same"), [("agreed", "hard"), ("fused", "soft")])
def test_without_the_llm_the_model_decides(kind, same):
    assert values(kind, synthetic()) == values(same, synthetic())


@pytest.mark.parametrize("kind", ["hard", "soft", "agreed", "fused"])
def test_gold_sentences_never_change(kind):
    gold = Sentence("1", tuple("abcde"), SPANS, {"target_scores": SCORES, "llm_spans": LLM})
    assert values(kind, gold) == values("hard", gold)


@pytest.mark.parametrize("scores", [7, [{"start": 0}], [{"start": 0, "end": 1, "entity": "PER", "score": 1.5}]])
def test_malformed_scores_are_refused(scores):
    with pytest.raises(ValueError, match=r"sentence 1-1: .*target_scores"):
        cell_targets(synthetic(target_scores=scores), TARGETS, "soft")
