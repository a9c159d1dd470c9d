"""Answers of LLMs as items: usual forms, empty answers and unreadable ones."""

from __future__ import annotations

import json

import pytest

from utils.parsing import Item, parse_items, read_answer

OSAKA = Item("Osaka", "LOCATION")
ITO = Item("Ms. Ito", "PERSON")
PLAIN = '[{"entity": "Osaka", "type": "LOCATION"}, {"entity": "Ms. Ito", "type": "PERSON"}]'


@pytest.mark.parametrize(
    "answer",
    [
        PLAIN,
        f"  {PLAIN}\n",
        f"```json\n{PLAIN}\n```",
        f"```\n{PLAIN}\n```\nI hope this helps!",
        f"Here are the entities:\n{PLAIN}",
        f"以下是结果：{PLAIN}",
        f"<think>Is [Osaka] a city? {{yes}}</think>\n{PLAIN}",
        PLAIN.replace('"', "'").replace("'Ms. Ito'", '"Ms. Ito"'),
        PLAIN.replace("}]", "},]"),
        PLAIN[:-1],  # the array is not closed
        PLAIN[:-2],
        PLAIN.replace(", {", "\n{"),
        f'{{"entities": {PLAIN}}}',
        '{"Osaka": "LOCATION", "Ms. Ito": "PERSON"}',
        '[["Osaka", "LOCATION"], ["Ms. Ito", "PERSON"]]',
        '{"entity": "Osaka", "type": "LOCATION"}\n{"entity": "Ms. Ito", "type": "PERSON"}',
        '[{"type": "LOCATION", "entity": "Osaka"}, {"name": "Ms. Ito", "label": "PERSON"}]',
        '[{"实体": "Osaka", "类型": "LOCATION"}, {"实体": "Ms. Ito", "类型": "PERSON"}]',
        '[{"entity": " Osaka ", "type": " LOCATION"}, {"entity": "Ms. Ito\\n", "type": "PERSON", "why": {"a": 1}}]',
        '[[{"entity": "Osaka", "type": "LOCATION"}], [{"entity": "Ms. Ito", "type": "PERSON"}]]',
    ],
)
def test_items_are_read_from_usual_forms(answer):
    assert parse_items(answer, "entity") == [OSAKA, ITO]


@pytest.mark.parametrize(
    "answer",
    ["The entities of sentence [1] are: " + PLAIN, "Note {see below}: " + PLAIN, "[Answer] " + PLAIN],
)
def test_a_bracket_in_the_words_before_the_array_does_not_hide_it(answer):
    found = parse_items(answer, "entity")
    assert OSAKA in found
    assert ITO in found


@pytest.mark.parametrize(
    ("answer", "items"),
    [
        ('[{"word": "她", "pos": "代词"}, {"word": "。", "pos": "标点符号"}]', [("她", "代词"), ("。", "标点符号")]),
        ('[{"word": "20", "pos": "CD"}]', [("20", "CD")]),
        ('[{"word": 20, "pos": "CD"}]', [("20", "CD")]),
        ('[{"词语": "她", "词性": "r"}]', [("她", "r")]),
        ('[{"word": "\\"", "pos": "PUNCT"}, {"word": "\\\\", "pos": "SYM"}]', [('"', "PUNCT"), ("\\", "SYM")]),
    ],
)
def test_words_are_read_with_their_parts_of_speech(answer, items):
    assert parse_items(answer, "pos") == [Item(*item) for item in items]


@pytest.mark.parametrize(
    ("label", "read"),
    [
        ("null", ""),
        ('""', ""),
        ('["LOC", "CITY"]', "LOC"),
        ("[]", ""),
        ("[null]", ""),
        ("7", "7"),
        ("1.5", "1.5"),
        ("{}", ""),
        ('{"a": "b"}', ""),
    ],
)
def test_a_label_that_is_not_a_string_does_not_raise(label, read):
    assert parse_items(f'[{{"entity": "Osaka", "type": {label}}}]', "entity") == [Item("Osaka", read)]


def test_an_item_without_a_label_keeps_its_text():
    assert parse_items('[{"entity": "Osaka"}]', "entity") == [Item("Osaka", "")]


def test_a_single_object_is_an_item():
    assert parse_items('{"entity": "Osaka", "type": "LOCATION"}', "entity") == [OSAKA]


@pytest.mark.parametrize(
    "answer",
    ["[]", " [ ]\n", "```json\n[]\n```", "没有实体：[]", "<think>none</think>[]", "There are no entities.", "null"],
)
def test_an_answer_that_clearly_has_no_items_is_an_empty_list(answer):
    assert read_answer(answer, "entity") == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   ",
        "抱歉，我无法回答。",
        "There are many entities.",
        "42",
        '"Osaka"',
        '<think>[{"entity": "Osaka", "type": "LOC"}]',  # the thought never ends
        "[1, 2, 3]",
        '[{"entity": "", "type": "LOC"}]',
    ],
)
def test_an_answer_without_a_readable_item_is_unreadable_and_not_empty(answer):
    assert read_answer(answer, "entity") is None
    assert parse_items(answer, "entity") == []


@pytest.mark.parametrize("rest", ["", ",", ',{"enti', ',{"entity":"</think> [ \\" {', ',{"entity":"</s>","type'])
def test_a_cut_off_answer_keeps_thinking_tags_inside_its_texts(rest):
    items = [{"entity": "[ <think>", "type": "LOC"}, {"entity": '<think> " {', "type": "PER"}]
    whole = json.dumps(items, separators=(",", ":"))
    last = '{"entity":"x","type":"LOC"}'
    kept = [Item("[ <think>", "LOC"), Item('<think> " {', "PER")]
    assert read_answer(f"{whole[:-1]},{last}"[: -len(last) - 1] + rest, "entity") == kept


def test_an_array_that_is_cut_off_gives_the_items_before_the_cut():
    items = [{"entity": f"e{number}", "type": "X"} for number in range(20)]
    found = parse_items(json.dumps(items)[:-150], "entity")
    assert found[:10] == [Item(f"e{number}", "X") for number in range(10)]
    assert len(found) < 20
