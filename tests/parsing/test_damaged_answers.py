"""Damaged answers: whatever is removed or inserted, nothing raises, and every item is made of strings."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from utils.parsing import Item, parse_items

WHOLE = [
    '[{"entity": "北京", "type": "地名"}, {"entity": "U.S.", "type": "GPE"}]',
    "[{'word': '她', 'pos': 'r'}, {'word': '\"', 'pos': 'w'}]",
    '```json\n{"entities": [{"name": "北京"}], "地名": ["上海", {"a": null}]}\n```',
    '<think>x</think>[["北京", "地名"], ("a", "b")]',
    "| 实体 | 类型 |\n|---|---|\n| 北京 | 地名 |\n- 上海：地名\n北京/ns 大学/n\n<地名>北京</地名>\na\tb",
]
PIECES = [
    *"[]{}()<>\"'`“”‘’「」：，:,=/|\\*-#\n\t \x00éé가",
    "null",
    "None",
    '"""',
    "```",
    "<think>",
    "&quot;",
    "\ud800",
    "💩",
]
EDIT_SIZE = 3  # bytes of one edit: its position, the length that is removed, and the piece that is inserted
EDITS = st.binary(max_size=8 * EDIT_SIZE)


def damaged(answer, edits):
    for offset in range(0, len(edits) - 2, EDIT_SIZE):
        position, length, piece = edits[offset : offset + EDIT_SIZE]
        start = position % (len(answer) + 1)
        answer = answer[:start] + PIECES[piece % len(PIECES)] + answer[start + length % 7 :]
    return answer


def check_all(edits):
    """Read each answer with the same damage in both modes, and check the items."""
    for answer in WHOLE:
        for mode in ("entity", "pos"):
            found = parse_items(damaged(answer, edits), mode)
            assert all(type(item) is Item and item.text.strip() == item.text != "" for item in found)
            assert all(isinstance(item.label, str) for item in found)


REPEATABLE = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)


@settings(REPEATABLE, max_examples=200)
@given(EDITS)
def test_none_of_two_thousand_damaged_answers_raises(edits):
    check_all(edits)


@pytest.mark.slow
@settings(REPEATABLE, max_examples=10_000)
@given(EDITS)
def test_none_of_a_hundred_thousand_damaged_answers_raises(edits):
    check_all(edits)


@pytest.mark.parametrize(
    "answer",
    [
        "[" * 200 + "]" * 200,
        "[" * 990 + "]" * 990,
        "[" * 900 + '{"entity": "a", "type": "b"}' + "]" * 900,
        "[" * 2000,
        '{"a":' * 300,
        '{"a":' * 900 + "1" + "}" * 900,
        '[{"a":' * 900,
        "{" * 1500,
        '["' * 300,
        "\ud83d[{",
        "[\x00]",
        '[{"entity": NaN, "type": Infinity}]',
        '[{"entity": ' + "9" * 5000 + "}]",
    ],
    ids=lambda answer: f"{answer[:8]!r}x{len(answer)}",
)
def test_no_answer_raises(answer):
    assert all(isinstance(item, Item) for item in parse_items(answer, "entity"))


def test_no_random_answer_raises_and_every_item_is_made_of_strings():
    draw = random.Random(0)
    pieces = [*'[]{}":,\\ \n', "entity", "type", "北京", "null", "1", "'", "```", "<think>", "</think>", "é", "\u2028"]
    for _ in range(600):
        answer = "".join(draw.choices(pieces, k=draw.randint(1, 30)))
        for item in parse_items(answer, "entity"):
            assert isinstance(item.text, str), answer
            assert isinstance(item.label, str), answer
            assert item.text == item.text.strip() != "", answer
