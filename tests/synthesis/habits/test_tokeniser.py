"""New word-based text gets the tokens that the dataset would give it."""

from __future__ import annotations

import pytest

from tests.helpers.tokenisations import TOKENISATIONS, sentences
from utils.synthesis.habits.default_words import split_words_and_clitics
from utils.synthesis.habits.tokeniser import Tokeniser
from utils.synthesis.habits.written_text import WrittenText


def learnt(name, number=400):
    return Tokeniser(sentences(name, number), split_words_and_clitics)


def accuracy(tokeniser, texts):
    """Return the share of sentences that, written as a person would, come back as their tokens."""
    return sum(tokeniser.tokens(tokeniser.written.text(tokens)) == tokens for tokens in texts) / len(texts)


LEARNT = {name: learnt(name) for name in TOKENISATIONS}


@pytest.mark.parametrize("name", TOKENISATIONS)
def test_the_sentences_of_a_dataset_come_back_as_their_tokens(name):
    assert accuracy(LEARNT[name], sentences(name)) >= 0.97


@pytest.mark.parametrize("name", TOKENISATIONS)
def test_so_do_other_sentences_of_its_kind_and_tokens_joined_by_spaces(name):
    others = sentences(name, 200, seed=1)
    assert accuracy(LEARNT[name], others) >= 0.95
    spaced = sum(LEARNT[name].tokens(" ".join(tokens)) == tokens for tokens in others)
    assert spaced >= 0.95 * len(others)


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("penn treebank", '"I won\'t go," he said.', ["``", "I", "wo", "n't", "go", ",", "''", "he", "said", "."]),
        ("penn treebank", "Mr. Gray (a poet) left.", ["Mr.", "Gray", "-LRB-", "a", "poet", "-RRB-", "left", "."]),
        ("penn treebank", "It’s “so old”…", ["It", "'s", "``", "so", "old", "''", "..."]),
        ("penn treebank", "It rose 7.25% to $9.", ["It", "rose", "7.25", "%", "to", "$", "9", "."]),
        ("conll", "OSLO 1998-04-17", ["OSLO", "1998-04-17"]),
        ("conll", "Muir won 21-19.", ["Muir", "won", "21-19", "."]),
        ("conll", '"We didn\'t," he said.', ['"', "We", "did", "n't", ",", '"', "he", "said", "."]),
        ("genia", "IL-4-dependent growth", ["IL-4", "-dependent", "growth"]),
        ("genia", "with 1,25(OH)2D3 (10 nM)", ["with", "1,25(OH)2D3", "(", "10", "nM", ")"]),
        ("genia", "The 5' end, i.e. 3 +/- 0.5.", ["The", "5'", "end", ",", "i.e.", "3", "+/-", "0.5", "."]),
        ("german", "Am 27. Mai in Köln.", ["Am", "27.", "Mai", "in", "Köln", "."]),
        ("german", "Er ging 1999.", ["Er", "ging", "1999", "."]),
        ("german", "Rom bzw. Köln", ["Rom", "bzw.", "Köln"]),
        (
            "tweets",
            "RT @tom: see http://t.co/Zz9 #oslo :)",
            ["RT", "@tom", ":", "see", "http://t.co/Zz9", "#oslo", ":)"],
        ),
    ],
)
def test_new_text_is_split_as_in_the_dataset(name, text, tokens):
    assert LEARNT[name].tokens(text) == tokens


@pytest.mark.parametrize(
    "text", ["3.14% of www.a-b.com", "He left.", "(so-called) U.S. e-mail", "naïve café – 5°C", "…"]
)
@pytest.mark.parametrize("name", ["conll", "genia", "german", "tweets"])
def test_no_character_is_lost(name, text):
    normal = str.maketrans({"–": "", "—": "", "-": "", "…": "", ".": ""})
    assert "".join(LEARNT[name].tokens(text)).translate(normal) == text.replace(" ", "").translate(normal)


def test_a_dataset_that_is_split_at_spaces_alone_splits_new_text_at_spaces_alone():
    tokeniser = Tokeniser([["He", "left,", "she", "stayed", "..."]], str.split)
    assert tokeniser.tokens("No, she  left... at 5%.") == ["No,", "she", "left...", "at", "5%."]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("They do n't know Ann 's name .", "They don't know Ann's name."),
        ("`` Why , '' he asked -LRB- twice -RRB- .", '"Why," he asked (twice).'),
        ('He said : " No . " She left .', 'He said: "No." She left.'),
        ("It cost $ 5 -- or 6 % .", "It cost $5 -- or 6%."),
        ("the keepers ' lamps", "the keepers' lamps"),
        ("Er sagte „ Nein “ .", "Er sagte „Nein“."),
        ("l' homme", "l'homme"),
        ("1\\/2 of it", "1/2 of it"),
    ],
)
def test_tokens_are_written_as_a_person_would(tokens, text):
    assert WrittenText().text(tokens.split()) == text


def test_hyphens_are_joined_to_both_words_only_if_the_dataset_splits_them():
    split = [["a", "well", "-", "known", "man"]] * 3
    assert WrittenText.of(split).text(split[0]) == "a well-known man"
    dash = [["a", "well-known", "man", "-", "so", "it", "is"]] * 3
    assert WrittenText.of(dash).text(dash[0]) == "a well-known man - so it is"
