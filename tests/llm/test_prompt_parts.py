"""The template around a message, the tokens that prompts share, and the layout of a ragged call."""

from __future__ import annotations

import doctest
import importlib

import pytest

from utils.llm import prompt_parts
from utils.llm.prompt_parts import common_prefix


@pytest.mark.parametrize(
    ("prompts", "prefix"),
    [
        ([], []),
        ([[1, 2]], [1, 2]),
        ([[1, 2, 3], [1, 2], [1, 2, 4]], [1, 2]),
        ([[1, 2], []], []),
        ([[2, 1], [1, 1], [2, 2]], []),
    ],
)
def test_the_common_prefix_is_the_longest_that_all_prompts_have(prompts, prefix):
    assert common_prefix(prompts) == prefix


def test_the_examples_of_the_docstrings_are_right():
    assert doctest.testmod(prompt_parts).attempted > 1
    assert doctest.testmod(prompt_parts).failed == 0


def test_the_worked_example_of_a_ragged_call_is_right():
    pytest.importorskip("torch")
    layout = importlib.import_module("utils.llm.decoding.ragged_layout")
    assert doctest.testmod(layout).attempted > 3
    assert doctest.testmod(layout).failed == 0
