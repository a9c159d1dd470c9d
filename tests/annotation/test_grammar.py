"""Grammars: answers contain only words of the sentence and listed labels."""

from __future__ import annotations

import json

import pytest

from tests.helpers.gbnf import Grammar
from utils.annotation.grammar import (
    MAX_ENTITY_UNITS,
    MAX_WORD_UNITS,
    SEPARATORS,
    entity_grammar,
    pos_grammar,
)
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.parsing import read_answer
from utils.placing import place_entities, place_words

TYPES = ["LOCATION", "PERSON"]
ODD = ['say "hi"', "\\", '"', "C:\\new", "{", "}", "]", "|", "é", "🙂", "(", "北京", "a\nb", "tab\there", "?", "'"]


def answer(*pairs, keys=("entity", "type")):
    items = [dict(zip(keys, pair, strict=True)) for pair in pairs]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def entities(*names, label="LOCATION"):
    return answer(*((name, label) for name in names))


def tagged(*words, tag="NOUN"):
    return answer(*((word, tag) for word in words), keys=("word", "pos"))


@pytest.fixture
def words():
    return Grammar(entity_grammar(["He", "left", "New", "York", "for", "Rome", "."], TYPES, tokenisation=WORDS))


@pytest.fixture
def characters():
    return Grammar(entity_grammar(list("邓超在北京大学"), ["地名", "人名"], tokenisation=CHARACTERS))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        entities("New York"),
        entities("He"),
        entities("New", "New York"),  # the same start, and longer
        entities("New", "New York", "Rome"),
        entities("New York", "Rome"),
        entities("New York", "York for"),
        answer(("He", "PERSON"), ("Rome", "LOCATION")),
        entities("He left New York for Rome"),
    ],
)
def test_words_of_the_sentence_with_listed_types_are_accepted(words, text):
    assert words.accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[] ",
        "Sure: []",
        entities("Paris"),
        entities("NewYork"),
        entities("New Rome"),
        entities("new york"),
        entities("Ne"),
        entities(""),
        entities("Rome", label="CITY"),
        entities("Rome", label=""),
        entities("Rome", "New York"),  # an earlier start
        entities("Rome", "Rome"),
        entities("New York", "New"),  # the same start, and shorter
        entities("New", "New York", "New York for"),  # the same start a third time
        entities("."),  # only a symbol
        entities("Rome ."),  # a symbol at the end
        entities("Rome")[:-1],
    ],
)
def test_other_words_other_types_and_other_forms_are_refused(words, text):
    assert not words.accepts(text)


def test_entities_of_dense_text_are_consecutive_characters_of_it(characters):
    assert characters.accepts(answer(("邓超", "人名"), ("北京", "地名"), ("京大学", "地名")))
    assert not characters.accepts(answer(("邓 超", "人名")))
    assert not characters.accepts(answer(("邓在", "人名")))
    assert not characters.accepts(answer(("北京", "LOCATION")))


def test_entities_of_dense_text_have_at_most_twelve_characters():
    text = "一二三四五六七八九十百千万"
    grammar = Grammar(entity_grammar(list(text), ["数"], tokenisation=CHARACTERS))
    assert grammar.accepts(answer((text[:12], "数")))
    assert not grammar.accepts(answer((text, "数")))


@pytest.mark.parametrize("tokens", [[], [" "], ["", "\u3000"]])
def test_a_sentence_without_text_has_only_the_empty_answer(tokens):
    entity = Grammar(entity_grammar(tokens, TYPES, tokenisation=WORDS))
    pos = Grammar(pos_grammar(tokens, ["NOUN"], tokenisation=WORDS))
    assert entity.accepts("[]")
    assert pos.accepts("[]")
    assert not entity.accepts(entities(""))


@pytest.mark.parametrize("token", ODD)
@pytest.mark.parametrize("build", [entity_grammar, pos_grammar])
def test_tokens_with_quotes_backslashes_or_other_scripts_are_kept(build, token):
    tokens = ["x", token, "y"]
    grammar = Grammar(build(tokens, ["A"], tokenisation=WORDS))
    text = entities(" ".join(tokens), label="A") if build is entity_grammar else tagged(*tokens, tag="A")
    assert grammar.accepts(text) is not (build is entity_grammar and token in SEPARATORS)
    items = read_answer(text, "entity" if build is entity_grammar else "pos")
    assert items is not None
    assert " ".join(item.text for item in items) == " ".join(tokens)


@pytest.mark.parametrize("label", ['a "b"', "a\\b", "(n)", "名词|n"])
def test_labels_with_quotes_or_bars_are_kept(label):
    assert Grammar(entity_grammar(["x"], [label], tokenisation=WORDS)).accepts(entities("x", label=label))
    assert Grammar(pos_grammar(["x"], [label], tokenisation=WORDS)).accepts(tagged("x", tag=label))


def test_each_word_gets_exactly_one_tag_in_order():
    grammar = Grammar(pos_grammar(["She", "paid", "20", "."], ["PRON", "VERB", "NUM", "PUNCT"], tokenisation=WORDS))
    right = answer(("She", "PRON"), ("paid", "VERB"), ("20", "NUM"), (".", "PUNCT"), keys=("word", "pos"))
    assert grammar.accepts(right)
    for wrong in (
        tagged("She", "paid", "20", tag="VERB"),
        tagged("She", "paid", "20", ".", "."),
        tagged("paid", "She", "20", ".", tag="VERB"),
        tagged("Shepaid", "20", ".", tag="VERB"),
        right.replace("PUNCT", "X"),
        "[]",
    ):
        assert not grammar.accepts(wrong), wrong


@pytest.mark.parametrize(
    ("cut", "right"),
    [
        (["她", "付", "了", "20", "欧元", "。"], True),
        (["她付", "了", "20", "欧", "元", "。"], True),
        (["她付了", "20", "欧元", "。"], True),
        (["她付了20", "欧元", "。"], False),  # across scripts
        (["她", "付了", "2", "0", "欧元", "。"], False),  # a number is not cut
        (["她", "付了", "20", "欧元。"], False),  # a punctuation mark is a word itself
        (["她", "付了", "20", "欧元"], False),  # not the whole sentence
        (["付了", "她", "20", "欧元", "。"], False),
    ],
)
def test_words_of_dense_text_are_the_whole_sentence_in_order(cut, right):
    grammar = Grammar(pos_grammar(list("她付了20欧元。"), ["NOUN"], tokenisation=CHARACTERS))
    assert grammar.accepts(tagged(*cut)) is right


def test_words_of_dense_text_have_at_most_six_characters():
    text = "一二三四五六七"
    grammar = Grammar(pos_grammar(list(text), ["NOUN"], tokenisation=CHARACTERS))
    assert grammar.accepts(tagged(text[:MAX_WORD_UNITS], text[MAX_WORD_UNITS:]))
    assert not grammar.accepts(tagged(text))


def test_spaces_in_dense_text_are_not_words():
    grammar = Grammar(pos_grammar(list("住 New York"), ["NOUN"], tokenisation=CHARACTERS))
    assert grammar.accepts(tagged("住", "NewYork")) or grammar.accepts(tagged("住", "New", "York"))
    assert not grammar.accepts(tagged("住", " ", "New", " ", "York"))


@pytest.mark.parametrize(
    ("build", "tokenisation"),
    [
        (entity_grammar, WORDS),
        (entity_grammar, CHARACTERS),
        (pos_grammar, WORDS),
    ],
)
def test_every_rule_exists_and_can_be_reached_from_the_root(build, tokenisation):
    tokens = list("她付了20欧元, ok。") if tokenisation.is_dense else ["He", "left", "New", "York", "for", "Rome", "."]
    grammar = Grammar(build(tokens, ["A", "B"], tokenisation=tokenisation))
    assert grammar.reachable() == set(grammar.rules)


@pytest.mark.parametrize("build", [entity_grammar, pos_grammar])
def test_the_size_of_a_grammar_is_linear_in_the_length_of_its_sentence(build):
    sizes = [len(build(["字"] * length, ["A"], tokenisation=CHARACTERS)) for length in (100, 200)]
    assert sizes[1] < 2.3 * sizes[0]


def test_all_items_of_a_guided_answer_can_be_placed():
    tokens = ["He", 'said "no"', "to", "U.S", ".", "C:\\x", "!"]
    found = read_answer(entities("He", 'said "no" to', "U.S .", "C:\\x"), "entity")
    assert Grammar(entity_grammar(tokens, TYPES, tokenisation=WORDS)).accepts(
        entities("He", 'said "no" to', "U.S .", "C:\\x")
    )
    assert found is not None
    assert place_entities(found, tokens).lost == []
    words = read_answer(tagged(*tokens), "pos")
    assert words is not None
    assert place_words(words, tokens).lost == []


def test_entities_of_words_have_at_most_eight_tokens():
    words = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    grammar = Grammar(entity_grammar(words, ["X"], tokenisation=WORDS))
    assert grammar.accepts(entities(" ".join(words[: MAX_ENTITY_UNITS[WORDS]]), label="X"))
    assert not grammar.accepts(entities(" ".join(words), label="X"))


def test_entities_contain_symbols_but_no_separators():
    grammar = Grammar(entity_grammar(list("北京，上海·浦东"), ["X"], tokenisation=CHARACTERS))
    assert grammar.accepts(entities("北京", "上海·浦东", label="X"))
    assert not grammar.accepts(entities("北京，上海", label="X"))
    words = Grammar(entity_grammar(["St", ".", "Ives", ",", "Rome"], ["X"], tokenisation=WORDS))
    assert words.accepts(entities("St . Ives", "Rome", label="X"))
    assert not words.accepts(entities("Ives , Rome", label="X"))


def test_a_longer_entity_may_follow_one_with_the_same_start(characters):
    nested = answer(("北京", "地名"), ("北京大学", "地名"), ("大学", "地名"))
    assert characters.accepts(nested)
    assert not characters.accepts(answer(("北京大学", "地名"), ("北京", "地名")))


def test_web_addresses_and_foreign_words_in_dense_text_are_not_cut():
    grammar = Grammar(entity_grammar(list("看http://t.cn/a1和GitHub吧"), ["X"], tokenisation=CHARACTERS))
    assert grammar.accepts(entities("http://t.cn/a1", "GitHub", label="X"))
    assert not grammar.accepts(entities("http", label="X"))
    assert not grammar.accepts(entities("Git", label="X"))


def test_spaces_inside_an_entity_of_dense_text_are_kept():
    grammar = Grammar(entity_grammar(list("去New York玩"), ["X"], tokenisation=CHARACTERS))
    assert grammar.accepts(entities("New York", label="X"))
    assert not grammar.accepts(entities("NewYork", label="X"))


@pytest.mark.parametrize("label", ["NOUN", "专有名词", "proper noun", "B-PER", "名词/人名", "n", "a" * 20])
def test_an_open_label_can_be_any_short_phrase(label):
    assert Grammar(entity_grammar(["Rome"], None, tokenisation=WORDS)).accepts(entities("Rome", label=label))
    assert Grammar(pos_grammar(["Rome"], None, tokenisation=WORDS)).accepts(tagged("Rome", tag=label))


@pytest.mark.parametrize("label", ["", " ", " a", "a,b", "a" * 21, "a\nb", 'a"b', "a\\", "[a]", "{", "：", "a。"])
def test_an_open_label_cannot_be_anything_else(label):
    assert not Grammar(entity_grammar(["Rome"], None, tokenisation=WORDS)).accepts(entities("Rome", label=label))
    assert not Grammar(pos_grammar(["Rome"], None, tokenisation=WORDS)).accepts(tagged("Rome", tag=label))
