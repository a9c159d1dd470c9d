"""The time to clean an answer per character has a limit, whatever the answer is made of."""

from __future__ import annotations

import math

import pytest

from tests.helpers.syntheses import cleaner_of
from tests.helpers.time_fuzzer import Shape, complaint, random_shapes, worst_shapes
from utils.dataset.tokens import CHARACTERS

CLEANERS = (
    cleaner_of([["Agnes", "Muir", "left", "Rome", "in", "May", ",", "and", "didn't", "return", "."]]),
    cleaner_of([list("邓超在北京读书，喜欢iPhone手机。")], tokenisation=CHARACTERS),
)
ALPHABET = (
    *"[]{}()<>\"'`“”「」『』【】（）《》：，、；:,;=|\\*-#_~.!?。！？…\n\t ab北1&A",
    *("**", "1. ", "- ", "Rome: ", "Mr. ", "a.m. ", "U.S. ", "https://", " " * 8, "x" * 20, "```", "——", "……", "”。"),
    *("3.14", "n't", "PER", "said ", "[a](b)", "<br>"),
)
KNOWN = {
    "full stops before a word": Shape(".", "", "a"),
    "colons before a word": Shape(": ", "", "a"),
    "full stops and words": Shape("....a"),
    "unfinished links": Shape("[a]("),
    "quoted sentences": Shape("“a。"),
    "ellipses": Shape("…ab"),
    "open emphasis": Shape("**a"),
}


def clean(text):
    for cleaner in CLEANERS:
        list(cleaner.pieces(text))


def complaint_of(shape):
    """Return a complaint about a time per character over the limit: it may grow up to the longest line."""
    return complaint(clean, shape, max_growth=math.inf)


@pytest.mark.parametrize("name", KNOWN)
def test_a_long_answer_takes_little_time_per_character(name):
    assert complaint_of(KNOWN[name]) is None


def test_six_random_shapes_take_linear_time():
    assert list(filter(None, map(complaint_of, random_shapes(ALPHABET, 6, seed=20)))) == []


@pytest.mark.slow
def test_a_search_for_the_slowest_shapes_finds_only_linear_ones():
    shapes = worst_shapes(clean, ALPHABET, cpu_seconds=120, first=list(KNOWN.values()), seed=20)
    assert list(filter(None, map(complaint_of, shapes))) == []
