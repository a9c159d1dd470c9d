"""The difference of two systems over seeds and test sentences: known values, planted effects and pure noise."""

from __future__ import annotations

import numpy as np
import pytest

from utils.ner.scoring.seed_comparison import compare_by_seed

SENTENCES = 120


def model(rng, difficulty, *, gain=0.0, seed_noise=0.0):
    """Return the counts of a model that finds a gold span (sentences, 2) with a logistic probability."""
    logits = difficulty + gain + rng.normal(0, seed_noise)
    right = (rng.random(difficulty.shape) < 1 / (1 + np.exp(-logits))).sum(axis=1)
    spurious = rng.poisson(0.4, size=len(right))
    return np.stack([right, right + spurious, np.full(len(right), difficulty.shape[1])], axis=1)


def comparison(rng, seeds, *, gain, seed_noise=0.05):
    difficulty = rng.normal(0.7, 1, size=(SENTENCES, 2))
    first = [model(rng, difficulty, seed_noise=seed_noise) for _ in range(seeds)]
    second = [model(rng, difficulty, gain=gain, seed_noise=seed_noise) for _ in range(seeds)]
    return compare_by_seed(first, second, resamples=400)


def test_the_difference_is_the_mean_of_the_seeds_differences():
    first = [[[1, 2, 2], [0, 1, 1]], [[2, 2, 2], [0, 0, 1]]]  # F1 2/6 and 4/5
    second = [[[2, 2, 2], [1, 1, 1]], [[2, 2, 2], [0, 0, 1]]]  # F1 1 and 4/5
    found = compare_by_seed(first, second)
    assert found.by_seed == pytest.approx((1 - 2 / 6, 0))
    assert found.difference == pytest.approx((1 - 2 / 6) / 2)


def test_equal_systems_have_no_difference_and_no_interval():
    counts = [[[1, 2, 3]] * 5] * 3
    found = compare_by_seed(counts, counts)
    assert (found.difference, found.interval.low, found.interval.high, found.p_value) == (0, 0, 0, 1)
    assert found.is_noise


def test_without_noise_of_sentences_the_interval_is_that_of_a_paired_t_test():
    # Equal sentences: resampling them changes nothing, and only the seeds are left.
    right = (60, 64, 61, 67)
    first = [[[50, 100, 100]] * 9] * 4
    second = [[[number, 100, 100]] * 9 for number in right]
    found = compare_by_seed(first, second, resamples=200_000)
    # differences 0.10, 0.14, 0.11, 0.17: mean 0.13, standard error 0.015811, t with 3 degrees of freedom 3.18245
    low, high = 0.13 - 3.18245 * 0.015811, 0.13 + 3.18245 * 0.015811
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=0.002)
    assert found.p_value == pytest.approx(0.0038, abs=0.0005)


def test_without_noise_of_seeds_the_interval_is_that_of_the_sentences():
    rng = np.random.default_rng(0)
    counts = [rng.integers(0, 3, size=200) for _ in range(2)]
    first, second = (np.stack([right, np.full(200, 2), np.full(200, 2)], axis=1) for right in counts)
    found = compare_by_seed([first] * 3, [second] * 3, resamples=20_000)
    differences = (counts[1] - counts[0]) / 2  # with as many predicted as gold spans, F1 is the share of right ones
    error = differences.std() / np.sqrt(200)
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * error, rel=0.03)


def test_a_planted_effect_is_found():
    rng = np.random.default_rng(3)
    found = comparison(rng, 5, gain=1.0)
    assert not found.is_noise
    assert found.difference > 0
    assert found.p_value < 0.05


@pytest.mark.parametrize("seeds", [3, 5])
def test_noise_alone_is_called_noise_in_about_95_of_100_cases(seeds):
    rng = np.random.default_rng(seeds)
    found = [comparison(rng, seeds, gain=0) for _ in range(200)]
    assert 0.01 <= np.mean([not one.is_noise for one in found]) <= 0.095  # 0.05, give or take three standard errors


def test_the_p_value_is_below_5_per_cent_exactly_if_the_interval_excludes_0():
    rng = np.random.default_rng(8)
    for gain in np.linspace(-0.6, 0.6, 30):
        found = comparison(rng, 3, gain=gain)
        assert (found.p_value < 0.05) == (not found.is_noise) or abs(found.p_value - 0.05) < 0.006


def test_with_one_seed_the_interval_is_that_of_the_sentences():
    rng = np.random.default_rng(5)
    found = comparison(rng, 1, gain=0)
    assert found.interval.low < found.difference < found.interval.high


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([[[1, 1, 1]]], [], "1 seeds cannot be compared with 0"),
        ([], [], "0 seeds"),
        ([[[1, 1, 1]]], [[[1, 1, 1]] * 2], "different numbers of sentences"),
    ],
)
def test_systems_that_do_not_match_are_refused(first, second, message):
    with pytest.raises(ValueError, match=message):
        compare_by_seed(first, second)
