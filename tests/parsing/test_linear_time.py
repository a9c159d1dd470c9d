"""The time to read an answer grows linearly with its length, whatever the answer is made of."""

from __future__ import annotations

import pytest

from tests.helpers.time_fuzzer import SMALL, Shape, complaint, random_shapes, seconds, worst_shapes
from utils.parsing import read_answer

ALPHABET = (
    *"[]{}()<>\"'`“”‘’「」【】（）：，、；:,;=/|\\*-#_~.!?。\n\t \0ab北1&",
    *('{"entity": "a", "type": "b"}', '["a", "b"]', '"entity": "', '"type": "', '\\"', "null", "None", "not any "),
    *("entity", "type", "word", "pos", "PER", "B-LOC", "I-LOC", "- ", "1. ", "**", "<a>", "</a>", " " * 8, "x" * 20),
    *("```", "<think>", "</think>", "&quot;", "->", "→", " and ", " - ", "没有实体", "no entities"),
)
# Each of these took quadratic or cubic time in one part of the parser, or would with a plain repetition there.
KNOWN = {
    "quoted brackets": Shape('("', "x", '"}]'),
    "arrays of one string": Shape('["a"'),
    "strings with a brace": Shape('"entity":"a}",'),
    "escaped quotation marks": Shape('\\"', '["', "]"),
    "quoted braces": Shape('{("{"'),
    "unclosed cells": Shape("('a"),
    "cells before many spaces": Shape(" ", "('a','b'," * 20),
    "a space before a word": Shape(" ", "", "x"),
    "spaces before a pair": Shape(" ", "a", "b: c, d"),
    "spaces before a dash": Shape(" ", "x\n", "-a"),
    "spaces before a bracket": Shape(" ", "a: b", "c"),
    "spaces before a conjunction": Shape(" ", "- a", "b"),
    "spaces in a heading": Shape(" ", "a", "b\n- c"),
    "tabs between fields": Shape("\t", "a: b, c: d", "e"),
    "tabs": Shape("\t", "a", "b"),
    "nested quotation marks": Shape('"', "x: "),
    "lines that continue": Shape("[:\n", "a:\n"),
    "chunks": Shape('{"entity":"a","type":"I-LOC"},', '[{"entity":"a","type":"B-LOC"},', "{}]"),
    "empty chunks": Shape('["","I-LOC"],', '[["entity","type"],["Ann","B-LOC"],', '["",""]]'),
    "many keys": Shape('"k\0":"v",', "{", '"k":"v"}'),
    "many keys without a value": Shape('"k\0":null,', "{", '"k":"v"}'),
    "many keys with objects": Shape('"k\0":[{"entity":"a"}],', "{", '"k":"v"}'),
    "open brackets": Shape("["),
    "open objects": Shape('{"a":'),
    "open parentheses in a piece": Shape("{a:" + "(" * 396),
}


def read(text):
    """Read an answer with and without its sentence, in both modes."""
    read_answer(text, "entity")
    read_answer(text, "pos", "Ann Lee is in Oslo , Norway .")


@pytest.mark.parametrize("name", KNOWN)
def test_an_answer_of_eight_times_the_length_takes_about_eight_times_as_long(name):
    assert complaint(read, KNOWN[name]) is None


def test_sixty_random_shapes_take_linear_time():
    assert list(filter(None, (complaint(read, shape) for shape in random_shapes(ALPHABET, 60, seed=20)))) == []


@pytest.mark.slow
def test_a_search_for_the_slowest_shapes_finds_only_linear_ones():
    shapes = worst_shapes(read, ALPHABET, cpu_seconds=240, first=list(KNOWN.values()), seed=20)
    assert list(filter(None, (complaint(read, shape) for shape in shapes))) == []


def test_the_measure_sees_quadratic_time():
    def maxima(text):
        return [max(text[position:]) for position in range(0, len(text), 8)]

    assert "times as many" in (complaint(maxima, Shape("a")) or "")
    assert complaint(sorted, Shape("ab")) is None
    assert seconds(maxima, "a" * SMALL) > 0


@pytest.mark.parametrize("depth", [100, 900, 980, 20_000])
def test_nested_lists_do_not_raise(depth):
    for text in ('{"a": ' + "[" * depth + '"b"' + "]" * depth + "}", "[" * depth, '{"a":' * depth):
        assert read_answer(text, "entity") in (None, [])
