"""Which part of an answer is a thought."""

from __future__ import annotations

import pytest

from tests.helpers.thoughts import CUT_TEXTS, DRAFT, TEXTS, THOUGHT, with_answer
from utils.parsing import Item, read_answer
from utils.parsing.thinking import begun_thought, continue_thought, split_thoughts, without_thoughts

ITEMS = '[{"entity": "Rome", "type": "city"}]'
PROSE = "Rome is an old city. It was not built in a day."


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


@pytest.mark.parametrize("answer", [ITEMS, PROSE], ids=["items", "prose"])
@pytest.mark.parametrize("form", TEXTS)
def test_every_known_form_of_thoughts_is_removed(form, answer):
    rest, thoughts = split_thoughts(with_answer(TEXTS[form], answer))
    assert rest.strip() == answer
    assert THOUGHT in thoughts or "an empty channel" in form


@pytest.mark.parametrize("form", CUT_TEXTS)
def test_an_answer_that_is_all_thought_leaves_nothing(form):
    rest, thoughts = split_thoughts(CUT_TEXTS[form])
    assert rest.strip() == ""
    assert THOUGHT in thoughts


@pytest.mark.parametrize(
    "answer",
    [
        '[{"entity": "<think>", "type": "tag"}, {"entity": "</think> [THINK]", "type": "tag"}]',
        '```json\n[{"entity": "say \\" </think>", "type": "tag"}]\n```',
        '[{"entity": "<|channel|>analysis<|message|>", "type": "tag"',  # cut off
        'The tag "</think>" and the word `<think>` are quoted.',
        "[analysis] The sentence names Rome, [think about it] and a city.",  # a heading and an aside, never closed
        "Analysis of Rome: it is a city. A final assistant.",
        "Thinking...\nRome is a city.",
        "Analysis：罗马是城市。",
    ],
)
def test_marks_that_are_a_part_of_the_answer_stay(answer):
    assert split_thoughts(answer) == (answer, "")


def test_strings_after_a_thought_keep_their_marks():
    answer = '[{"entity": "a <think> b", "type": "tag"}]'
    assert split_thoughts(f"<think>{THOUGHT}</think>{answer}") == (answer, THOUGHT)
    assert read_answer(f"<think>{THOUGHT}</think>{answer}", "entity") == [Item("a <think> b", "tag")]


def test_a_replacement_keeps_the_text_around_a_thought_apart():
    assert without_thoughts("Rome.<think>a</think>Paris.", replacement="\n") == "Rome.\nParis."


@pytest.mark.parametrize(
    ("prompt", "mark"),
    [
        ("<|user|>Hello.<|assistant|><think>\n", "<think>"),
        ("<|a|><think>\n\n</think>\n", ""),
        ("[/INST][THINK]", "[THINK]"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>analysis<|message|>"),
        ("<|CHATBOT_TOKEN|><|START_THINKING|>", "<|START_THINKING|>"),
        ("Answer: [analysis]", ""),
    ],
)
def test_a_template_may_begin_the_thought(prompt, mark):
    assert begun_thought(prompt) == mark


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        ("Rome is a city.</think>\n\n[]", "[]"),
        ("a <think> b </think> c</think>Rome is old.", "Rome is old."),
        ("Okay, the user wants", ""),  # cut off inside the thought
        ('[{"entity": "Rome"}]', '[{"entity": "Rome"}]'),  # held to a grammar
        ("", ""),
    ],
)
def test_the_thought_that_a_prompt_began_is_removed_from_its_answer(answer, rest):
    assert without_thoughts(continue_thought("<think>", answer)).strip() == rest


def test_a_draft_in_a_thought_is_not_read():
    assert read_answer(f"<think>{DRAFT} {THOUGHT}</think>{ITEMS}", "entity") == [Item("Rome", "city")]
