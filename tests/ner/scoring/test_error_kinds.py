"""Kinds of errors, flat and nested."""

from __future__ import annotations

import random

import pytest

from utils.dataset.records import Span
from utils.ner.scoring.error_kinds import KINDS, count_errors, pair_spans

LABELS = ("PER", "LOC", "ORG")


def counts(gold: list[tuple[int, int, str]], found: list[tuple[int, int, str]]) -> dict[str, int]:
    errors = count_errors([[Span(*one) for one in gold]], [[Span(*one) for one in found]], LABELS)
    return {kind: number for kind, number in errors.counts.items() if number}


@pytest.mark.parametrize(
    ("gold", "found", "kinds"),
    [
        ([(0, 2, "PER")], [(0, 2, "PER")], {"right": 1}),
        ([(0, 2, "PER")], [(0, 2, "LOC")], {"label": 1}),
        ([(0, 2, "PER")], [(0, 3, "PER")], {"bounds": 1}),
        ([(0, 2, "PER")], [(1, 3, "LOC")], {"both": 1}),
        ([(0, 2, "PER")], [], {"missed": 1}),
        ([], [(0, 2, "PER")], {"spurious": 1}),
        ([(0, 2, "PER")], [(2, 3, "PER")], {"missed": 1, "spurious": 1}),
        ([(0, 5, "PER")], [(0, 2, "PER"), (3, 5, "PER")], {"bounds": 1, "spurious": 1}),
        # nested: a right span is nobody else's partner, and equal bounds go before mere overlap
        ([(0, 6, "ORG"), (0, 2, "LOC")], [(0, 2, "LOC")], {"right": 1, "missed": 1}),
        ([(0, 6, "ORG"), (0, 2, "LOC")], [(0, 2, "PER"), (0, 5, "ORG")], {"label": 1, "bounds": 1}),
        ([(0, 6, "ORG"), (0, 2, "LOC")], [(0, 1, "ORG"), (0, 6, "ORG")], {"right": 1, "both": 1}),
        ([(0, 2, "PER"), (0, 2, "LOC")], [(0, 2, "ORG"), (0, 2, "LOC")], {"right": 1, "label": 1}),
    ],
)
def test_each_kind_of_error_is_recognised(gold, found, kinds):
    assert counts(gold, found) == kinds


def test_the_partner_is_the_span_with_the_largest_overlap():
    pairs = list(pair_spans({(0, 4, "PER"), (3, 9, "PER")}, {(3, 8, "PER")}))
    assert pairs == [("bounds", (3, 9, "PER"), (3, 8, "PER")), ("missed", (0, 4, "PER"), None)]


def test_every_span_is_counted_in_exactly_one_kind():
    rng = random.Random(0)

    def spans() -> set[tuple[int, int, str]]:
        pairs = [sorted(rng.sample(range(9), 2)) for _ in range(rng.randrange(8))]
        return {(start, end, rng.choice(LABELS)) for start, end in pairs}

    for _ in range(500):
        gold, found = spans(), spans()
        pairs = list(pair_spans(gold, found))
        assert sorted(true for _, true, _ in pairs if true) == sorted(gold)
        assert sorted(guess for _, _, guess in pairs if guess) == sorted(found)
        assert {true for kind, true, _ in pairs if kind == "right"} == gold & found
        for kind, true, guess in pairs:
            if kind in ("label", "bounds", "both"):
                assert true is not None
                assert guess is not None
                assert max(true[0], guess[0]) < min(true[1], guess[1])
                assert (true[:2] == guess[:2]) == (kind == "label")
                assert (true[2] == guess[2]) == (kind == "bounds")
        swapped = [kind for kind, _, _ in pair_spans(found, gold)]
        assert swapped.count("missed") == [kind for kind, _, _ in pairs].count("spurious")


def test_confused_labels_are_counted_the_most_frequent_first():
    gold = [[Span(0, 1, "PER"), Span(2, 3, "LOC")], [Span(0, 1, "PER")]]
    found = [[Span(0, 1, "ORG"), Span(2, 3, "PER")], [Span(0, 1, "ORG")]]
    errors = count_errors(gold, found, LABELS)
    assert list(errors.confusions.items()) == [(("PER", "ORG"), 2), (("LOC", "PER"), 1)]
    assert errors.to_text().splitlines() == [
        "correct 0, wrong label 3, wrong boundaries 0, wrong label and boundaries 0, missed 0, spurious 0",
        "confused labels: PER as ORG (2), LOC as PER (1)",
    ]
    assert errors.to_dict()["confusions"][0] == {"gold": "PER", "predicted": "ORG", "count": 2}
    assert [kind for kind in errors.to_dict() if kind != "confusions"] == list(KINDS)


def test_spans_of_other_labels_are_ignored():
    assert counts([(0, 2, "NOUN")], [(0, 2, "PER")]) == {"spurious": 1}
