"""Grammars of answers with target labels: parts of the sentence, in any order, up to a number."""

from __future__ import annotations

import json

import pytest

from tests.helpers.gbnf import Grammar
from utils.annotation.grammar import EntityBounds
from utils.annotation.targets.grammar import target_grammar
from utils.dataset.tokens import CHARACTERS, WORDS

TOKENS = ["He", "left", "New", "York", ",", "for", "Rome", "."]


def answer(*names, label="A"):
    items = [{"entity": name, "type": label} for name in names]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def grammar(tokens, tokenisation=WORDS, **bounds):
    limits = EntityBounds(**{"max_units": 8, **bounds})
    return Grammar(target_grammar(tokens, ["A", 'SAY "B"'], tokenisation=tokenisation, bounds=limits))


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["He"],
        ["New York", "Rome"],
        ["Rome", "New York"],  # an earlier one later
        ["New", "New York"],
        ["New York", "New"],
        ["Rome", "Rome"],
        ["He left New York", "for Rome", "York"],
    ],
)
def test_parts_of_the_sentence_are_accepted_in_any_order(names):
    assert grammar(TOKENS).accepts(answer(*names))
    assert grammar(TOKENS).accepts(answer(*names, label='SAY "B"'))


@pytest.mark.parametrize(
    "text",
    ["", "[", answer("Paris"), answer("Rom"), answer("left York"), answer("New York , for"), answer("Rome", label="C")],
)
def test_other_words_labels_and_forms_are_refused(text):
    assert not grammar(TOKENS).accepts(text)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_number_of_entities_is_limited(number):
    limited = grammar(TOKENS, max_entities=number)
    assert limited.accepts(answer(*["Rome"] * number))
    assert not limited.accepts(answer(*["Rome"] * (number + 1)))


def test_symbols_can_be_anywhere_in_entities_if_the_bounds_allow_it():
    tokens = list("《红楼梦》，好。")
    strict, free = (grammar(tokens, CHARACTERS, any_symbols=any_symbols) for any_symbols in (False, True))
    for name in ("《红楼梦》", "，", "红楼梦》，好", "《红楼梦》，好。"):
        assert free.accepts(answer(name))
        assert not strict.accepts(answer(name))
    assert strict.accepts(answer("好", "红楼梦"))


@pytest.mark.parametrize("any_symbols", [False, True])
def test_entities_have_at_most_the_given_number_of_units(any_symbols):
    tokens = [f"w{number}" for number in range(20)]
    limited = grammar(tokens, max_units=15, any_symbols=any_symbols)
    assert limited.accepts(answer(" ".join(tokens[2:17]), "w17"))
    assert not limited.accepts(answer(" ".join(tokens[2:18])))


@pytest.mark.parametrize("any_symbols", [False, True])
@pytest.mark.parametrize(
    ("tokens", "tokenisation"), [(["(", "a", ")", "b", "!", "$", "3"], WORDS), (list("《红》，a1好。"), CHARACTERS)]
)
def test_every_rule_of_a_grammar_is_used(tokens, tokenisation, any_symbols):
    found = grammar(tokens, tokenisation, max_units=3, any_symbols=any_symbols)
    assert found.reachable() == set(found.rules)


@pytest.mark.parametrize("tokens", [[], [" "], [".", "!"]])
def test_a_sentence_without_a_possible_entity_has_only_the_empty_answer(tokens):
    found = grammar(tokens)
    assert found.accepts("[]")
    assert not found.accepts(answer("."))


def test_the_size_of_a_grammar_is_linear_in_the_length_of_its_sentence():
    bounds = EntityBounds(max_units=30)
    sizes = [
        len(target_grammar(["字"] * length, ["A"], tokenisation=CHARACTERS, bounds=bounds)) for length in (100, 200)
    ]
    assert sizes[1] < 2.5 * sizes[0]
