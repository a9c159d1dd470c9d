"""Which part of an answer is a thought."""

from __future__ import annotations

import pytest

from utils.parsing.thinking import without_thoughts


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("Rome", "Rome"),
        ("<think>Is it\na city?</think>Rome", "Rome"),
        ("<Thinking>a</Thinking>Rome<thought>b</thought>", "Rome"),
        ("[reasoning]a[/reasoning]◁think▷b◁/think▷Rome", "Rome"),
        ("<think>a</thinking>Rome", "Rome"),
        ("a</think>Rome", "Rome"),
        ("a</think>b</think>Rome", "Rome"),
        ("Rome<think>a", "Rome"),
        ("<b>Rome</b> [thoughts]", "<b>Rome</b> [thoughts]"),
    ],
)
def test_thoughts_are_removed_with_their_tags(answer, rest):
    assert without_thoughts(answer) == rest


def test_a_replacement_keeps_the_text_around_a_thought_apart():
    assert without_thoughts("Rome.<think>a</think>Paris.", replacement="\n") == "Rome.\nParis."
