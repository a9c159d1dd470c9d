"""The llamacpp backend with a tiny random model, or with the .gguf file in TEST_GGUF."""

from __future__ import annotations

import os
import sys
import threading
from types import SimpleNamespace

import pytest

from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.dataset.tokens import WORDS
from utils.llm import LLMOptions, Message, Request, Sampling, load_llm
from utils.llm.backends import llamacpp
from utils.llm.backends.llamacpp import _sampling, load
from utils.llm.backends.llamacpp_server import core_count, place_layers
from utils.llm.prompt_parts import common_prefix
from utils.parsing import read_answer

TOKENS = ["He", "left", 'the "Old', "York\\", "for", "Rome", "."]


def request(id_="1", prompt="Name a city.", **changes):
    return Request(id_, "entity", prompt, changes.pop("max_new_tokens", 12), **changes)


def test_greedy_answers_have_no_temperature_and_no_penalty():
    assert _sampling(request()) == {"temperature": 0.0, "repeat_penalty": 1.0}


def test_drawn_answers_have_their_own_seed():
    drawn = _sampling(request(sampling=Sampling(0.8, 0.9, 7)))
    assert (drawn["temperature"], drawn["top_p"], drawn["seed"]) == (0.8, 0.9, 7)
    assert drawn["samplers"] == ["temperature", "top_p"]


def test_a_grammar_is_passed_to_llguidance_without_forced_tokens():
    given = _sampling(request(grammar='root ::= "[]"'))["grammar"]
    assert given == '%llguidance {"no_forcing": true}\nstart: "[]"'


def test_a_missing_package_is_reported_with_the_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ImportError, match="pip install xllamacpp"):
        load("model.gguf", LLMOptions())


def test_a_worker_uses_its_share_of_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert core_count() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert core_count() >= 1


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory):
    pytest.importorskip("xllamacpp")
    if given := os.environ.get("TEST_GGUF"):
        return given
    pytest.importorskip("gguf")
    from tests.helpers.tiny_gguf import write_tiny_gguf

    return str(write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf"))


@pytest.fixture(scope="module")
def llm(gguf_file):
    """A model that answers two requests at once."""
    return load_llm(gguf_file, "llamacpp", LLMOptions(batch_size=2))


def test_every_request_is_answered_once_within_its_budget(llm):
    asked = [request(str(number), f"Count to {number}.", max_new_tokens=number) for number in range(1, 5)]
    answers = list(llm.generate(asked))
    assert {answer.request.id for answer in answers} == {"1", "2", "3", "4"}
    assert all(answer.answer_tokens <= answer.request.max_new_tokens for answer in answers)
    assert all(answer.prompt_tokens > 0 for answer in answers)


@pytest.mark.parametrize(("build", "mode"), [(entity_grammar, "entity"), (pos_grammar, "pos")])
def test_a_guided_answer_is_about_its_sentence(llm, build, mode):
    grammar = build(TOKENS, ["LOCATION", 'SAY "X"'], tokenisation=WORDS)
    answer = next(iter(llm.generate([request(grammar=grammar, max_new_tokens=400)])))
    items = read_answer(answer.text, mode)
    assert answer.finish == "stop"
    assert items is not None
    assert {item.label for item in items} <= {"LOCATION", 'SAY "X"'}
    assert all("".join(item.text.split()) in "".join("".join(TOKENS).split()) for item in items)


def test_a_prompt_longer_than_the_context_gets_an_empty_answer(llm):
    answer = next(iter(llm.generate([request(prompt="word " * 12000)])))
    assert (answer.text, answer.finish) == ("", "length")


def test_a_role_token_inside_the_users_text_stays_text(llm):
    plain, odd = (llm._tokens(text, special=False) for text in ("a", "a<|im_end|>"))
    assert len(odd) > len(plain) + 1


CHAT = (Message("system", "Name cities."), Message("user", "He left <|im_end|>Rome."), Message("assistant", "Rome"))


def test_a_chat_has_its_messages_in_order_and_role_tokens_inside_them_stay_text(llm):
    ids = llm.encode("She left Oslo.", CHAT)
    plain = llm.encode("She left Oslo.", (CHAT[0], Message("user", "He left Rome."), CHAT[2]))
    (end,) = llm._tokens("<|im_end|>", special=True)
    assert ids.count(end) == plain.count(end) == 4
    texts = [CHAT[0].text, "Rome", CHAT[2].text, "She left Oslo."]
    tokens = [llm._tokens(text, special=False) for text in texts]
    at = [next(n for n in range(len(ids)) if ids[n : n + len(one)] == one) for one in tokens]
    assert at == sorted(at)


@pytest.mark.parametrize(
    "refusal", ["{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}", ""]
)
def test_a_template_without_a_system_role_gets_its_text_from_the_user(refusal, tmp_path):
    pytest.importorskip("xllamacpp")
    pytest.importorskip("gguf")
    from tests.helpers.tiny_gguf import write_tiny_gguf

    one = (
        "{% if message.role != 'system' %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endif %}"
    )
    template = f"{refusal}{{% for message in messages %}}{one}{{% endfor %}}<|im_start|>assistant\n"
    file = write_tiny_gguf(tmp_path / "tiny.gguf", template=template)
    loaded = llamacpp.load(str(file), LLMOptions(batch_size=1))
    ids, system = loaded.encode("Oslo.", CHAT), loaded._tokens("Name cities.", special=False)
    assert sum(ids[n : n + len(system)] == system for n in range(len(ids))) == 1


def test_the_common_prefix_is_evaluated_once_for_all_slots(llm, monkeypatch):
    evaluated = []
    complete = llm.server.handle_completions

    class Counting:
        listening_address = llm.server.listening_address

        def handle_completions(self, body, take=None):
            def look(chunk):
                evaluated.append(chunk.get("timings"))
                return take(chunk)

            reply = complete(body, look) if take else complete(body)
            evaluated.append(reply and reply.get("timings"))
            return reply

    monkeypatch.setattr(llm, "server", Counting())
    shared = "What all prompts begin with, said anew in this test alone, is long enough to be worth a thought. "
    rows = [request(str(number), f"{shared}Part {number}.") for number in range(6)]
    assert len(list(llm.generate(rows))) == 6
    lengths = [len(llm.encode(row.prompt)) for row in rows]
    once = len(common_prefix([llm.encode(row.prompt) for row in rows]))
    tokens = sum(one["prompt_n"] for one in evaluated if one)
    assert once > 60
    assert tokens <= once + sum(length - once for length in lengths) + len(rows)


def test_the_slots_grow_for_a_long_prompt_up_to_the_models_context(gguf_file, monkeypatch):
    monkeypatch.setattr(llamacpp, "SLOT_TOKENS", 256)
    small = llamacpp.load(gguf_file, LLMOptions(batch_size=4))
    assert (small.context, small.slots) == (256, 4)
    long, short = request("1", "word " * 150, max_new_tokens=3), request("2", max_new_tokens=3)
    answers = {answer.request.id: answer for answer in small.generate([long, short])}
    assert answers["1"].prompt_tokens + 3 < small.context
    assert answers["1"].answer_tokens == 3
    assert small.slots == max(1, 8 * 256 // small.context)


def test_after_closing_a_running_answer_ends_with_its_next_chunk(llm):
    long = request(grammar=f'root ::= "{"a" * 300}"', max_new_tokens=200)
    closed = threading.Event()
    assert len(llm._answer(long, llm.encode(long.prompt), closed).text) == 200
    closed.set()
    assert len(llm._answer(long, llm.encode(long.prompt), closed).text) < 5


def placed(there, asked):
    """Return llama.cpp's parameters for the asked GPUs of a machine that has `there` GPUs."""
    xllamacpp = SimpleNamespace(
        ggml_backend_dev_type=SimpleNamespace(GGML_BACKEND_DEVICE_TYPE_CPU=0),
        get_device_info=lambda: [{"type": 0}, *[{"type": 1}] * there],
        llama_split_mode=SimpleNamespace(LLAMA_SPLIT_MODE_NONE="one", LLAMA_SPLIT_MODE_LAYER="spread"),
    )
    params = SimpleNamespace(split_mode=None, tensor_split=[0.0] * 3)
    place_layers(params, asked, xllamacpp)
    return params


@pytest.mark.parametrize(("there", "asked", "missing"), [(0, (5,), 5), (1, (0, 1), 1), (0, (0, 1), 0)])
def test_a_gpu_that_is_asked_for_and_missing_is_an_error(there, asked, missing):
    with pytest.raises(ValueError, match=f"there is no GPU {missing} that can be used"):
        placed(there, asked)


@pytest.mark.parametrize(
    ("there", "asked", "layers", "mode", "shares"),
    [
        (0, (0,), 0, None, None),
        (2, (), 0, None, None),
        (2, (1,), 999, "one", [0.0, 1.0, 0.0]),
        (3, (0, 2), 999, "spread", [1.0, 0.0, 1.0]),
    ],
)
def test_a_model_is_put_on_the_asked_gpus(there, asked, layers, mode, shares):
    params = placed(there, asked)
    assert params.n_gpu_layers == layers
    assert params.split_mode == mode
    assert shares is None or params.tensor_split == shares
