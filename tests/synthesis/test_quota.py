"""How many answers s2 asks for, and when it stops."""

from __future__ import annotations

import pytest

from tests.helpers.builders import sentence
from utils.dataset.tokens import WORDS
from utils.synthesis.quota import MOST_WEIGHT, KnownNgrams, Quota, rare_weights


def labelled(id_, *labels):
    return sentence("a b c d", *((place, place + 1, label) for place, label in enumerate(labels)), id=str(id_))


def test_each_round_asks_every_sentence_once_and_one_with_a_weight_more_often():
    quota = Quota(rounds=3, weights={"1": 2.5})
    assert [list(quota.samples("1", round_)) for round_ in range(3)] == [[0, 1, 2], [3, 4], [5, 6, 7]]
    assert [list(quota.samples("2", round_)) for round_ in range(3)] == [[0], [1], [2]]


@pytest.mark.parametrize("weight", [1.0, 1.3, 2.0, 3.7, 4.0])
def test_no_sample_is_left_out_or_asked_for_twice(weight):
    quota = Quota(weights={"1": weight})
    samples = [sample for round_ in range(20) for sample in quota.samples("1", round_)]
    assert samples == list(range(len(samples)))


@pytest.mark.parametrize(
    ("quota", "enough"),
    [
        (Quota(rounds=1), True),
        (Quota(rounds=2), False),
        (Quota(rounds=2, target=10), True),
        (Quota(rounds=2, target=11), False),
        (Quota(rounds=2, stop_below=0.3), False),
        (Quota(rounds=2, stop_below=0.4), True),
    ],
)
def test_asking_stops_after_all_rounds_at_the_target_or_when_little_is_new(quota, enough):
    assert quota.is_enough(rounds=1, kept=10, share_of_new=0.3) is enough


def test_a_rare_label_raises_the_weight_by_a_square_root_to_at_most_four():
    sentences = [labelled(number, "PER") for number in range(1, 48)]
    sentences += [labelled(48, "PER", "LOC"), labelled(49, "ORG"), labelled(50, "ORG"), labelled(51)]
    weights = rare_weights([sentences])  # PER 48, ORG 2, LOC 1: 17 on the mean
    assert weights["1"] == 1.0
    assert weights["48"] == MOST_WEIGHT
    assert weights["49"] == pytest.approx((17 / 2) ** 0.5)
    assert weights["51"] == 1.0


def test_a_sentence_of_a_size_is_weighed_without_the_sentences_outside_it():
    small = [labelled(1, "PER"), labelled(2, "LOC")]
    for others in ([labelled(3, "LOC")] * 20, [labelled(3, "PER")] * 20):
        weights = rare_weights([small, [*small, *others]])
        assert (weights["1"], weights["2"]) == (1.0, 1.0)


def test_a_dataset_without_labels_has_no_rare_ones():
    assert rare_weights([[labelled(1)]]) == {"1": 1.0}


def test_the_share_of_new_ngrams_falls_when_rounds_repeat_text():
    known = KnownNgrams([["Rome", "is", "old"]], tokenisation=WORDS)
    assert known.add_round([["Rome", "is", "large"]]) == 0.5
    assert known.add_round([["rome", "is", "large"]]) == 0.0
    assert known.add_round([["Oslo", "was", "small"]]) == 1.0
    assert known.add_round([]) == 0.0
