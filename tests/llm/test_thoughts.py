"""Thoughts never reach the journal, an item or a synthetic sentence, whichever backend the answers come from."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.helpers.builders import call, read_lines, row_of, write_rows
from tests.helpers.llm_server import ChatServer
from tests.helpers.thoughts import CUT_TEXTS, MESSAGES, TEXTS, THOUGHT, with_answer
from utils.asking import model
from utils.asking.questions import as_recorded
from utils.llm import LLM, Answer, Request
from utils.llm.backends.llamacpp import LlamaCpp
from utils.llm.backends.vllm import VLLM
from utils.parsing.thinking import ANSWER_ENDS, MARK_TOKENS

ITEMS = '[{"entity": "Rome", "type": "city"}]'
FORMS = list(TEXTS.values())
SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "pra", "so", "te", "vi", "zu")


def prose(number: int) -> str:
    """Return a text for s2 that no other one resembles."""
    draw = random.Random(number)
    words = ["".join(draw.choices(SYLLABLES, k=3)) for _ in range(8)]
    return f"The {' '.join(words)} of town {number}."


def answer_to(task: str, number: int) -> str:
    return prose(number) if task == "explain" else ITEMS


def text_of(task: str, number: int) -> str:
    """Return the answer to sentence `number`, from 1, with thoughts in a form of its own."""
    return str(with_answer(FORMS[number - 1], answer_to(task, number)))


def task_and_number(prompt: str) -> tuple[str, int]:
    found = re.search(r"Rome (\d+) is", prompt)
    assert found
    return ("explain" if "ontinue" in prompt else "entity"), int(found[1])


# --- the backends, with stand-ins for the programs that run a model


def make_chat(folder):
    """Return the chat format of a tokenizer in which all marks are control tokens."""
    transformers = pytest.importorskip("transformers")
    from tests.helpers.tiny_checkpoint import write_tiny_checkpoint
    from utils.llm.hf.chat_format import chat_format

    checkpoint = write_tiny_checkpoint(folder / "tiny")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.add_special_tokens({"additional_special_tokens": list(MARK_TOKENS)})
    config = SimpleNamespace(eos_token_id=None)
    return chat_format(tokenizer, SimpleNamespace(config=config, generation_config=config))


def ids_of(chat, text: str) -> list[int]:
    return list(chat.tokenizer(text, add_special_tokens=False)["input_ids"])


def transformers_llm(folder, text: Callable[[str, int], str]) -> LLM:
    pytest.importorskip("torch")
    from utils.llm.decoding.chat_model import TransformersLLM

    chat = make_chat(folder)

    class Decoder:
        def decode(self, requests, batch_size, guide):
            for one in requests:
                yield one, ids_of(chat, text(one.request.task, int(one.request.id))), "stop"

    return TransformersLLM(chat, Decoder(), batch_size=20)


def vllm_llm(folder, text: Callable[[str, int], str]) -> LLM:
    chat = make_chat(folder)
    parameters = ModuleType("vllm.sampling_params")
    parameters.RequestOutputKind = SimpleNamespace(FINAL_ONLY=0)  # type: ignore[attr-defined]
    parameters.StructuredOutputsParams = SimpleNamespace  # type: ignore[attr-defined]
    package = ModuleType("vllm")
    package.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    sys.modules.update({"vllm": package, "vllm.sampling_params": parameters})

    class Engine:
        def __init__(self) -> None:
            self.waiting: list[tuple[str, str]] = []

        def add_request(self, name, prompt, params):
            message = chat.tokenizer.decode(prompt["prompt_token_ids"])
            self.waiting.append((name, text(*task_and_number(message))))

        def step(self):
            name, answer = self.waiting.pop()
            output = SimpleNamespace(token_ids=ids_of(chat, answer), finish_reason="stop")
            return [SimpleNamespace(finished=True, request_id=name, outputs=[output])]

        def abort_request(self, names):
            assert names == []

    return VLLM(Engine(), chat, context=100_000)


def llamacpp_llm(folder, text: Callable[[str, int], str]) -> LLM:
    class Server:
        def handle_completions(self, body, collect):
            task, number = "explain" if body["prompt"][0] else "entity", body["prompt"][1]
            answer = text(task, number)
            for token in set(MARK_TOKENS) - {*body.get("preserved_tokens", ())}:
                answer = answer.replace(token, "")  # as llama.cpp does with control tokens
            collect({"choices": [{"text": answer, "finish_reason": "stop"}], "usage": {"completion_tokens": 40}})

    class StandIn(LlamaCpp):
        def __init__(self) -> None:
            self.server, self.slots, self.context = Server(), 2, 100_000
            self._begun_thought = ""
            self._thought_marks = [token for token in MARK_TOKENS if token not in ANSWER_ENDS]

        def encode(self, prompt, earlier=()):
            task, number = task_and_number(prompt)
            return [int(task == "explain"), number]

    return StandIn()


class ScriptedLLM:
    """Gives the text as it is, as the scripted backend does."""

    def __init__(self, text: Callable[[str, int], str]) -> None:
        self.text = text

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for request in requests:
            yield Answer(request, self.text(request.task, int(request.id)), "stop", 5, 40)


BACKENDS: dict[str, Any] = {
    "scripted": lambda folder, text: ScriptedLLM(text),
    "transformers": transformers_llm,
    "vllm": vllm_llm,
    "llamacpp": llamacpp_llm,
}


# --- the steps


def write_dataset(folder, number: int):
    """Write a dataset of `number` sentences about Rome; return the values of flags for the steps."""
    rows = [row_of(f"Rome {one} is old .".split(), ("Rome", "CITY")) for one in range(1, number + 1)]
    write_rows(folder / "rome" / "train_1000.jsonl", rows)
    (folder / "rome" / "labels.txt").write_text("O\nCITY\n", encoding="utf-8")
    recording = write_rows(folder / "none.jsonl", [])
    return {"file_dir": folder, "file_name": "rome", "model_from_pretrained": recording, "backend": "scripted"}


def results(folder, name: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of a result, and the lines of its journal."""
    result = folder / "rome" / "GLM4" / name
    return read_lines(result), read_lines(result.with_name(f"{name}.journal.jsonl"))


def check_results(folder, number: int) -> None:
    """Assert that s1 and s2 found the answers, and nothing of the thoughts."""
    rows, journal = results(folder, "entity_train_1000.jsonl")
    assert [row["items"] for row in rows] == [json.loads(ITEMS)] * number
    new, journal_of_s2 = results(folder, "train_1000_synthetic.jsonl")
    for entry in journal + journal_of_s2:
        assert entry["answer"] == answer_to(entry["task"], int(entry["id"]))
    assert len(journal) == len(journal_of_s2) == number
    assert len(new) > number // 2
    assert "Wanderlust" not in json.dumps([rows, new, journal, journal_of_s2])


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_form_of_thoughts_reaches_a_result(tmp_path, backend, monkeypatch):
    for name in ("vllm", "vllm.sampling_params"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))  # restored after the test
    llm = BACKENDS[backend](tmp_path, text_of)
    monkeypatch.setattr(model, "load_llm", lambda *choice: llm)
    values = write_dataset(tmp_path, len(FORMS))
    call("s1", **values)
    call("s2", **values, lang="en", shots=0)
    check_results(tmp_path, len(FORMS))


@pytest.mark.usefixtures("short_waits")
def test_no_form_of_thoughts_reaches_a_result_from_a_server(tmp_path):
    pytest.importorskip("openai")
    forms = [*({"content": text, "role": "assistant"} for text in FORMS), *MESSAGES.values()]

    def message(prompt: str) -> dict[str, Any]:
        if "Rome" not in prompt:  # a probe
            return {"content": "Hello."}
        task, number = task_and_number(prompt)
        return dict(with_answer(forms[number - 1], answer_to(task, number)))

    values = write_dataset(tmp_path, len(forms))
    with ChatServer(message=message) as server:
        served = {**values, "backend": "auto", "model_from_pretrained": "tiny", "api_base": server.api_base}
        call("s1", **served)
        call("s2", **served, lang="en", shots=0)
    check_results(tmp_path, len(forms))
    _, journal = results(tmp_path, "entity_train_1000.jsonl")
    assert all(entry["thought_tokens"] for entry in journal if int(entry["id"]) > len(FORMS))


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_answer_that_is_all_thought_is_cut_off(tmp_path, backend, monkeypatch, caplog):
    for name in ("vllm", "vllm.sampling_params"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    forms = list(CUT_TEXTS.values())
    llm = BACKENDS[backend](tmp_path, lambda task, number: forms[number - 1])
    monkeypatch.setattr(model, "load_llm", lambda *choice: llm)
    caplog.set_level("INFO")
    call("s1", **write_dataset(tmp_path, len(forms)))
    rows, journal = results(tmp_path, "entity_train_1000.jsonl")
    assert {row["status"] for row in rows} == {"unreadable"}
    assert {(entry["answer"], entry["finish"]) for entry in journal} == {("", "length")}
    assert f"{len(forms)} of {len(forms)} answers are all thought, cut off before the answer began" in caplog.text
    assert "use a larger --max_new_tokens, with --overwrite" in caplog.text


def test_control_tokens_are_shown_only_where_they_are_marks(tmp_path):
    chat = make_chat(tmp_path)
    assert chat.text(ids_of(chat, "\n [<|start|>] <|end|>\n")) == "[]"
    assert chat.text(ids_of(chat, "[THINK]a[/THINK]\n[]\n")) == "[THINK]a[/THINK]\n[]"


# --- their tokens


def answer(text: str, **changes: Any) -> Answer:
    request = Request("1", "entity", "Rome?", 100)
    return as_recorded(Answer(request, text, "stop", 5, 40, **changes))


def test_the_tokens_of_thoughts_are_estimated_by_their_share_of_the_text():
    found = answer(f"<think>{THOUGHT}</think>{'a' * (len(THOUGHT) - 15)}")
    assert (found.answer_tokens, found.thought_tokens) == (40, 20)
    assert answer("<think>hm", thought_tokens=7).thought_tokens == 7
    assert answer("<think>\n\n</think>\n\n[]").thought_tokens == 0


def test_the_run_log_and_the_estimate_count_thoughts(tmp_path, monkeypatch, caplog):
    llm = ScriptedLLM(text_of)
    monkeypatch.setattr(model, "load_llm", lambda *choice: llm)
    values = write_dataset(tmp_path, 4)
    call("s1", **values, limit=2)
    (line,) = read_lines(tmp_path / "rome" / "GLM4" / "run.log.jsonl")
    assert 0 < line["thought_tokens"] < line["answer_tokens"] == 80
    caplog.set_level("INFO")
    call("s1", **values, plan=True)
    share = round(100 * line["thought_tokens"] / 80)
    assert f"based on 2 recorded answers; {share}% of their tokens are thoughts" in caplog.text
