"""The llamacpp backend, with a real model: give a small chat model's .gguf file in TEST_GGUF to run these."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from utils.guidance import entity_grammar, pos_grammar
from utils.llm import LLMOptions, Request, Sampling, load_llm
from utils.llm.llamacpp import _cores, _decoding, load
from utils.parsing import read_answer

GGUF = os.environ.get("TEST_GGUF", "")
TOKENS = ["He", "left", 'the "Old', "York\\", "for", "Rome", "."]
needs_model = pytest.mark.skipif(not Path(GGUF).is_file(), reason="TEST_GGUF names no .gguf file of a chat model")


def request(id_="1", prompt="Name a city.", **changes):
    return Request(id_, "entity", prompt, changes.pop("max_new_tokens", 12), **changes)


def test_greedy_answers_ask_for_no_temperature_and_no_penalty():
    assert _decoding(request()) == {"temperature": 0.0, "repeat_penalty": 1.0}


def test_drawn_answers_ask_for_their_own_seed():
    drawn = _decoding(request(sampling=Sampling(0.8, 0.9, 7)))
    assert (drawn["temperature"], drawn["top_p"], drawn["seed"]) == (0.8, 0.9, 7)


def test_a_grammar_is_handed_on():
    assert _decoding(request(grammar='root ::= "[]"'))["grammar"] == 'root ::= "[]"'


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ImportError, match="pip install xllamacpp"):
        load("model.gguf", LLMOptions())


def test_a_worker_uses_its_share_of_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert _cores() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert _cores() >= 1


@pytest.fixture(scope="module")
def llm():
    """A real model, two sequences at once."""
    pytest.importorskip("xllamacpp")
    return load_llm(GGUF, "llamacpp", LLMOptions(batch_size=2))


@needs_model
def test_every_request_is_answered_once_within_its_budget(llm):
    asked = [request(str(number), f"Count to {number}.", max_new_tokens=number) for number in range(1, 5)]
    answers = list(llm.generate(asked))
    assert {answer.request.id for answer in answers} == {"1", "2", "3", "4"}
    assert all(answer.answer_tokens <= answer.request.max_new_tokens for answer in answers)
    assert all(answer.prompt_tokens > 0 for answer in answers)


@needs_model
@pytest.mark.parametrize(("build", "mode"), [(entity_grammar, "entity"), (pos_grammar, "pos")])
def test_a_guided_answer_is_held_to_its_sentence(llm, build, mode):
    grammar = build(TOKENS, ["LOCATION", 'SAY "X"'], dense=False)
    answer = next(iter(llm.generate([request(grammar=grammar, max_new_tokens=400)])))
    items = read_answer(answer.text, mode)
    assert answer.finish == "stop"
    assert {item.label for item in items} <= {"LOCATION", 'SAY "X"'}
    assert all("".join(item.text.split()) in "".join("".join(TOKENS).split()) for item in items)


@needs_model
def test_a_prompt_longer_than_the_models_context_has_no_answer_and_ends_no_step(llm):
    answer = next(iter(llm.generate([request(prompt="word " * 6000)])))
    assert (answer.text, answer.finish) == ("", "length")


@needs_model
def test_a_role_token_inside_the_users_text_stays_text(llm):
    plain, odd = (llm._tokens(text, special=False) for text in ("a", "a<|im_end|>"))
    assert len(odd) > len(plain) + 1
