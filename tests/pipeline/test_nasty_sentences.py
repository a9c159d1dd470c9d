"""A guided answer about any sentence can be read and placed and, for `pos`, has all words of the sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.helpers.nasty import LONGEST, PIECES, nasty_sentences
from utils.annotation.annotator import Annotator
from utils.annotation.answers import place_items
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS, without_spaces
from utils.llm import LLM, LLMOptions, load_llm
from utils.parsing import read_answer
from utils.prompts import Prompt

CONTEXT = 32768  # a token of the tiny models is a byte, so answers are long


def transformers(folder: Path) -> LLM:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers", "4.44", reason="an older one cannot read the tiny checkpoint's tokenizer")
    pytest.importorskip("llguidance")
    torch.set_num_threads(1)
    return with_tiny_checkpoint(folder, "transformers")


def vllm(folder: Path) -> LLM:
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here; it needs an environment of its own")
    return with_tiny_checkpoint(folder, "vllm")


def llamacpp(folder: Path) -> LLM:
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    from tests.helpers.tiny_gguf import write_tiny_gguf

    file = write_tiny_gguf(folder / "tiny.gguf", context=CONTEXT)
    return load_llm(str(file), "llamacpp", LLMOptions(batch_size=4))


def with_tiny_checkpoint(folder, backend):
    from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
    from utils.llm.hf import context

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context, "MAX_CONTEXT", CONTEXT)
        checkpoint = write_tiny_checkpoint(folder, context=CONTEXT)
        return load_llm(str(checkpoint), backend, LLMOptions(batch_size=4, dtype="float32"))


@pytest.fixture(scope="module", params=[transformers, vllm, llamacpp], ids=lambda build: build.__name__)
def llm(request, tmp_path_factory):
    return request.param(tmp_path_factory.mktemp(request.param.__name__))


@pytest.mark.parametrize("tokenisation", [WORDS, CHARACTERS])
@pytest.mark.parametrize("mode", ["entity", "pos"])
@pytest.mark.parametrize("number", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_guided_answers_about_nasty_sentences_are_read_and_placed(llm, mode, tokenisation, number):
    sentences = nasty_sentences(number, tokenisation=tokenisation)
    prompt = Prompt("{labels} {examples} {sentence}")
    annotator = Annotator(mode, prompt, ("地名", "人名"), tokenisation, guidance="grammar", max_new_tokens=CONTEXT)
    asked = [annotator.question(Sentence(str(n), tuple(tokens))).request for n, tokens in enumerate(sentences)]
    answers = {answer.request.id: answer for answer in llm.generate(asked)}
    for place, tokens in enumerate(sentences):
        answer = answers[str(place)]
        items = read_answer(answer.text, mode)
        assert items is not None, answer.text
        placement = place_items(items, tokens, mode)
        assert placement.lost == [], (tokens, answer.text)
        if mode == "pos":
            assert answer.finish == "stop"
            whole = "".join(item.text for item in items)
            assert without_spaces(whole) == without_spaces("".join(tokens))


def test_nasty_sentences_are_reproducible_and_contain_every_piece():
    sentences = nasty_sentences(200, tokenisation=CHARACTERS)
    assert sentences == nasty_sentences(200, tokenisation=CHARACTERS)
    assert sentences != nasty_sentences(200, tokenisation=CHARACTERS, seed=1)
    assert max(map(len, sentences)) == LONGEST
    joined = "\0".join(map("".join, sentences))
    assert [piece for piece in PIECES if piece not in joined] == []
