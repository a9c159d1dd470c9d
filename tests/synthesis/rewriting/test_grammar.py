"""The grammar of a sentence with given mentions: every text that it allows contains them, whatever a model prefers."""

from __future__ import annotations

import re

import pytest

from tests.helpers.families import FAMILIES, make_checkpoint
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.llm import LLMOptions, Request, Sampling, can_intersect, load_llm
from utils.synthesis.rewriting.grammar import list_grammar, sentence_grammar
from utils.synthesis.writing_style import WritingStyle

torch = pytest.importorskip("torch")
pytest.importorskip("llguidance")

OPTIONS = LLMOptions(batch_size=4, dtype="float32")
MENTIONS = {
    "ideographs": (CHARACTERS, ["鳄鱼泪", "张国荣"]),
    "latin in dense text": (CHARACTERS, ["iPhone", "5G"]),
    "symbols": (CHARACTERS, ["C:\\d", "[哈哈]", "a/b*(c)"]),
    "words": (WORDS, ["New York", "U.S."]),
    "quotation marks": (WORDS, ["don't", 'the "old" man']),
    "accents": (WORDS, ["São Paulo", "Кипр"]),
}


@pytest.fixture(scope="module")
def llm(tmp_path_factory):
    """A model with random weights, whose free text is noise."""
    torch.set_num_threads(1)
    folder = make_checkpoint(tmp_path_factory.mktemp("qwen2"), FAMILIES["qwen2"])
    assert can_intersect(str(folder), "transformers", OPTIONS)
    return load_llm(str(folder), "transformers", OPTIONS)


def sampled(llm, grammar, number=4):
    requests = [
        Request(str(seed), "rewrite", "write", 400, Sampling(1.0, 1.0, seed), grammar=grammar) for seed in range(number)
    ]
    return list(llm.generate(requests))


@pytest.mark.parametrize("name", MENTIONS)
def test_every_text_holds_its_mentions_and_has_the_length(llm, name):
    tokenisation, mentions = MENTIONS[name]
    for answer in sampled(llm, sentence_grammar(mentions, 12, 40, WritingStyle(tokenisation))):
        assert answer.finish == "stop"
        assert all(mention in answer.text for mention in mentions), answer.text
        assert len(answer.text) <= 40
        assert "\n" not in answer.text


def test_a_mention_is_no_part_of_a_longer_word(llm):
    for answer in sampled(llm, sentence_grammar(["art"], 5, 30, WritingStyle(WORDS)), 8):
        assert re.search(r"(?<![A-Za-z0-9])art(?![A-Za-z0-9])", answer.text), answer.text
    for answer in sampled(llm, sentence_grammar(["5G"], 5, 30, WritingStyle(CHARACTERS)), 8):
        assert re.search(r"(?<![A-Za-z0-9])5G(?![A-Za-z0-9])", answer.text), answer.text


def test_letters_and_marks_that_the_dataset_never_uses_are_not_written(llm):
    queries = WritingStyle(WORDS, case="lower", punctuation="none")
    assert all("R2-D2" in answer.text for answer in sampled(llm, sentence_grammar(["R2-D2"], 12, 40, queries)))
    for grammar in (sentence_grammar(["tom cruise"], 12, 40, queries), list_grammar(3, 20, queries)):
        for answer in sampled(llm, grammar):
            assert not re.search(r"[A-Z!-/:-@\[-`{-~]", answer.text), answer.text


def test_a_list_has_its_number_of_lines(llm):
    for answer in sampled(llm, list_grammar(5, 12, WritingStyle(WORDS))):
        assert answer.finish == "stop"
        lines = answer.text.split("\n")
        assert len(lines) == 5
        assert all(0 < len(line) <= 12 for line in lines)


def test_other_backends_cannot_hold_a_sentence_to_such_a_grammar():
    assert not can_intersect("model.gguf", "llamacpp", OPTIONS)
    assert not can_intersect("answers.jsonl", "scripted", OPTIONS)
