"""Bounds of target spans, learnt from gold spans."""

from __future__ import annotations

import pytest

from tests.helpers.builders import sentence
from utils.annotation.grammar import MAX_ENTITY_UNITS, EntityBounds
from utils.annotation.targets.bounds import (
    MAX_UNITS,
    MIN_ENTITIES,
    has_overlaps,
    learn_bounds,
    longest_spans,
)
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import CHARACTERS, WORDS

FLAT = sentence("Ann saw New York .", (0, 1, "PER"), (2, 4, "LOC"))
NESTED = sentence("Ann saw New York .", (2, 4, "LOC"), (3, 4, "X"))


def test_short_flat_mentions_have_the_usual_bounds():
    assert learn_bounds([FLAT], WORDS) == EntityBounds(MAX_ENTITY_UNITS[WORDS], any_symbols=False, nested=False)
    assert learn_bounds([], CHARACTERS) == EntityBounds(MAX_ENTITY_UNITS[CHARACTERS], any_symbols=False, nested=False)


@pytest.mark.parametrize(("length", "nested"), [(13, False), (99, False), (13, True), (99, True)])
def test_long_mentions_widen_the_bounds_up_to_a_limit(length, nested):
    long = sentence(" ".join("x" * length), (0, length, "PLOT"))
    bounds = learn_bounds([long, NESTED if nested else FLAT], WORDS)
    assert bounds.max_units == min(length, MAX_UNITS)
    assert bounds.nested is nested


@pytest.mark.parametrize(("most", "expected"), [(0, MIN_ENTITIES), (2, MIN_ENTITIES), (9, 18)])
def test_an_answer_may_have_twice_as_many_entities_as_the_gold_sentences(most, expected):
    full = sentence(" ".join("x" * 9), *((number, number + 1, "X") for number in range(most)))
    assert learn_bounds([FLAT, full], WORDS).max_entities == expected


@pytest.mark.parametrize(("unusual", "usual", "any_symbols"), [(2, 98, True), (1, 99, False), (0, 100, False)])
def test_a_share_of_mentions_with_punctuation_marks_allows_them(unusual, usual, any_symbols):
    sentences = [sentence("( a", (0, 1, "PUNCT"))] * unusual + [sentence("a b", (0, 2, "X"))] * usual
    assert learn_bounds(sentences, WORDS).any_symbols is any_symbols


def test_the_length_of_dense_mentions_is_counted_in_units():
    title = sentence(list("看iPhone15ProMax手机"), (1, 13, "X"))
    assert learn_bounds([title], CHARACTERS).max_units == MAX_ENTITY_UNITS[CHARACTERS]


def test_only_gold_spans_are_looked_at():
    extended = Sentence("1", ("a", "b"), (Span(0, 2, "X"), Span(0, 1, "Y", origin="entity")))
    assert not has_overlaps([extended])
    assert has_overlaps([NESTED])
    assert has_overlaps([sentence("a b", (0, 1, "X"), (0, 1, "Y"))])


def test_of_overlapping_spans_the_longest_is_kept_and_of_equal_ones_the_first():
    spans = [Span(0, 2, "A"), Span(1, 4, "B"), Span(3, 4, "C"), Span(4, 5, "D"), Span(4, 5, "E")]
    assert longest_spans(spans) == (Span(1, 4, "B"), Span(4, 5, "D"))
    assert longest_spans([Span(0, 2, "A"), Span(2, 4, "B")]) == (Span(0, 2, "A"), Span(2, 4, "B"))
    assert longest_spans([]) == ()
