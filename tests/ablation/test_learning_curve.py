"""How many annotated sentences a score is worth, read off base's scores at several sizes."""

from __future__ import annotations

import pytest

from utils.ablation.results.learning_curve import sentences_worth

CURVE = {250: 70.0, 500: 74.0, 1000: 77.0}


@pytest.mark.parametrize(
    ("score", "at", "worth"),
    [
        (72.0, 250, "+104"),  # half of the way from 250 to 500 on the logarithm: 250 * sqrt(2) = 354
        (74.0, 250, "+250"),
        (75.5, 250, "+457"),  # 500 * sqrt(2) = 707
        (77.0, 250, "+750"),
        (77.1, 250, "more than all"),
        (70.0, 250, "+0"),
        (69.0, 250, "not measurable"),  # there is no smaller size
        (72.0, 500, "-146"),
        (69.0, 500, "less than the smallest size"),
        (78.0, 1000, "not measurable"),  # there is no larger size
    ],
)
def test_the_worth_is_interpolated_on_the_logarithm(score, at, worth):
    assert str(sentences_worth(score, at, CURVE)) == worth


def test_with_one_size_no_worth_can_be_measured():
    assert str(sentences_worth(71.0, 250, {250: 70.0})) == "not measurable"


def test_a_score_between_sizes_where_base_falls_is_found_at_the_first_crossing():
    falling = {250: 70.0, 500: 69.0, 1000: 73.0}
    assert str(sentences_worth(71.0, 250, falling)) == "+457"  # half of the way from 500 to 1000
