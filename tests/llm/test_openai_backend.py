"""The openai backend with servers on this machine: requests, retries, and errors that end a run."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from email.utils import formatdate

import pytest

from tests.helpers.llm_server import ChatServer, LoopbackServer, RoughProxy
from utils.llm import Answer, LLMOptions, Message, Request, Sampling, can_be_guided, load_llm
from utils.llm.server.retrying import back_off, retry_after

pytest.importorskip("openai")
from utils.llm.server import dialect, probing, retrying

pytestmark = pytest.mark.usefixtures("short_waits")

YES_OR_NO = 'root ::= "yes" | "no"'


def ask(number=1, prompt=None, **changes):
    return Request(str(number), "entity", prompt or f"Prompt {number}.", changes.pop("max_new_tokens", 20), **changes)


def load(server, model="tiny", **options):
    return load_llm(model, "openai", LLMOptions(api_base=server.api_base, **{"batch_size": 8, **options}))


def without_probes(server):
    return [body for body in server.asked if not body["messages"][0]["content"].startswith(probing.PROBE)]


# --- requests


def test_a_greedy_request_turns_the_servers_defaults_off():
    with ChatServer() as server:
        list(load(server).generate([ask(max_new_tokens=7)]))
    (body,) = without_probes(server)
    assert body == {
        "model": "tiny",
        "messages": [{"role": "user", "content": "Prompt 1."}],
        "max_tokens": 7,
        "temperature": 0.0,
        **dialect.PLAIN,
    }


EXAMPLE = (Message("system", "Be brief."), Message("user", "Hi."), Message("assistant", "Hi, <|im_end|>."))


def test_the_messages_before_the_prompt_are_sent_with_their_roles():
    with ChatServer() as server:
        list(load(server).generate([ask(earlier=EXAMPLE)]))
    (body,) = without_probes(server)
    assert [one["role"] for one in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][0]["content"] == "Be brief."
    assert body["messages"][2]["content"] == f"Hi, <{dialect.WORD_JOINER}|im_end|>."
    assert body["messages"][3]["content"] == "Prompt 1."


def test_a_server_that_refuses_system_messages_gets_their_text_from_the_user():
    with ChatServer(has_system=False) as server:
        llm = load(server, batch_size=1)
        answers = list(llm.generate([ask(number, earlier=EXAMPLE) for number in (1, 2)]))
    assert len(answers) == 2
    asked = without_probes(server)
    assert [len(body["messages"]) for body in asked] == [3, 3]
    assert {body["messages"][0]["content"] for body in asked} == {"Be brief.\n\nHi."}
    assert server.refused == 1  # the second request is sent in the right form at once


def test_a_refusal_does_not_show_the_messages():
    with (
        ChatServer(known=("model", "messages", "max_tokens", "temperature", "extra"), text="x") as server,
        pytest.raises(RuntimeError, match="refused") as raised,
    ):
        llm = load(server)
        server.known = ()
        secret = (Message("system", "Secret guide."), Message("user", "Secret example."))
        list(llm.generate([ask(prompt="Secret sentence.", earlier=secret)]))
    assert "Secret" not in str(raised.value)


def test_a_sampled_request_has_its_own_seed():
    with ChatServer() as server:
        list(load(server).generate([ask(sampling=Sampling(0.8, 0.9, 7))]))
    (body,) = without_probes(server)
    assert (body["temperature"], body["top_p"], body["seed"]) == (0.8, 0.9, 7)


def test_a_server_that_refuses_extra_parameters_gets_none():
    with ChatServer(known=("model", "messages", "max_tokens", "temperature")) as server:
        answers = list(load(server).generate([ask()]))
        assert len(answers) == 1
        assert not can_be_guided("tiny", "openai", LLMOptions(api_base=server.api_base))
    assert set(without_probes(server)[0]) == {"model", "messages", "max_tokens", "temperature"}


def test_a_server_that_breaks_at_unknown_forms_of_answers_is_asked_without_them(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE_AT_START", 0.2)
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        return (500, {}, b"") if b"grammar" in body or b"format" in body else inner._answer(path, body, headers)

    with LoopbackServer(answer) as server:
        assert [one.text for one in load(server).generate([ask()])] == ["well"]


@pytest.mark.parametrize("field", ["grammar", "structured_outputs.grammar", "guided_grammar", "ebnf"])
def test_a_grammar_is_sent_in_the_field_that_the_server_reads(field):
    with ChatServer(grammar_field=field) as server:
        assert can_be_guided("tiny", "openai", LLMOptions(api_base=server.api_base))
        (answer,) = load(server).generate([ask(grammar=YES_OR_NO)])
    assert answer.text == "no"


def test_a_server_that_ignores_grammars_cannot_be_guided():
    with ChatServer() as server:
        assert not can_be_guided("tiny", "openai", LLMOptions(api_base=server.api_base))


def test_the_key_of_the_environment_is_used_and_never_logged(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    with ChatServer(key="secret-7351") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "secret-7351")
        assert len(list(load(server).generate([ask()]))) == 1
    assert "secret-7351" not in caplog.text


def test_a_proxy_of_the_environment_is_not_used_on_loopback(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ChatServer() as server:
        assert len(list(load(server).generate([ask()]))) == 1


def test_batch_size_limits_the_requests_in_flight():
    with ChatServer(seconds=0.02) as server:
        assert len(list(load(server, batch_size=3).generate([ask(number) for number in range(12)]))) == 12
    assert 1 < server.most_at_once <= 3


def test_thoughts_in_their_own_field_are_not_in_the_answer():
    with ChatServer(text="[ ]", thoughts="Let me think.") as server:
        (answer,) = load(server).generate([ask()])
    assert (answer.text, answer.finish) == ("[ ]", "stop")


@pytest.mark.parametrize(
    "token", ["<|im_end|>", "<start_of_turn>", "</s>", "[/INST]", "<<SYS>>", "<｜User｜>", "<|user|>"]
)
def test_role_tokens_in_the_text_are_broken_up(token):
    with ChatServer() as server:
        list(load(server).generate([ask(1, f"a {token} b")]))
    sent = without_probes(server)[0]["messages"][0]["content"]
    assert token not in sent
    assert sent.replace("\u2060", "") == f"a {token} b"


@pytest.mark.parametrize("text", ["a < b", "x[北京]", "[1]", "<b>x</b>", "a <- b |> c", "Zürich"])
def test_other_text_is_sent_unchanged(text):
    assert dialect.without_role_tokens(text) == text


# --- errors that end a run at once, in one line


def test_an_unknown_model_is_reported_with_the_servers_models():
    with (
        ChatServer(models=("qwen", "glm")) as server,
        pytest.raises(ValueError, match="no model 'tiny'; it has qwen, glm"),
    ):
        load(server)


def test_a_wrong_key_is_reported_without_the_key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-7352")
    with (
        ChatServer(key="another") as server,
        pytest.raises(PermissionError, match="HTTP 401: set OPENAI_API_KEY") as raised,
    ):
        load(server)
    assert "secret" not in str(raised.value)


def test_a_missing_server_is_one_line(monkeypatch):
    monkeypatch.setattr(probing, "PATIENCE_AT_START", 0.5)
    with ChatServer() as server:
        pass
    with pytest.raises(
        ConnectionError, match=r"http://127.0.0.1:\d+/v1 gave no answer for \d s \(last error: connection lost\)"
    ):
        load(server)


@pytest.mark.parametrize(("status", "message"), [(400, "odd"), (404, r"odd \(--api_base usually ends"), (422, "odd")])
def test_a_refusal_ends_the_run_at_once_with_the_servers_message(status, message):
    refused = []

    def answer(path, body, headers):
        if path.endswith("/models"):
            return 200, {}, b'{"data": [{"id": "tiny"}]}'
        refused.append(body)
        return status, {}, b'{"error": {"message": "odd"}}'

    with LoopbackServer(answer) as server, pytest.raises(RuntimeError, match=f"HTTP {status}: {message}"):
        load(server)
    assert len(refused) == 2  # with and without the extra parameters


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}),
        (402, {"message": "Insufficient Balance", "code": "invalid_request_error", "param": 7}),
        (429, {"message": "您的账户已欠费，请充值后重试。", "code": "1113"}),
    ],
)
def test_an_exceeded_quota_is_not_retried(status, error):
    def answer(path, body, headers):
        if path.endswith("/models"):
            return 200, {}, b'{"data": []}'
        return status, {}, json.dumps({"error": error}).encode()

    with (
        LoopbackServer(answer) as server,
        pytest.raises(RuntimeError, match=f"HTTP {status}: {error['message']}"),
    ):
        load(server)


def test_a_prompt_that_does_not_fit_gets_an_empty_answer(caplog):
    with ChatServer() as server:
        answers = {answer.request.id: answer for answer in load(server).generate([ask(1, "word " * 2000), ask(2)])}
    assert (answers["1"].text, answers["1"].finish) == ("", "length")
    assert answers["2"].text
    assert "1 prompt does not fit into the context of" in caplog.text
    assert "word word" not in caplog.text


# --- retries


def failing(*failures):
    """Return a server that answers the first requests with `failures`, and then as it should."""
    waiting = list(failures)
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        if path.endswith("/models") or probing.PROBE.encode() in body or not waiting:
            return inner._answer(path, body, headers)
        return waiting.pop(0)

    return LoopbackServer(answer)


GOOD = b'{"choices": [{"message": {"content": "well"}, "finish_reason": "stop"}]}'


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ((429, {"Retry-After": "0.01"}, b"{}"), "HTTP 429"),
        ((500, {}, b""), "HTTP 500"),
        ((503, {}, b"<html>"), "HTTP 503"),
        ((408, {}, b"{}"), "HTTP 408"),
        (None, "connection lost"),
        ((200, {"Content-Length": "500"}, GOOD), "connection lost"),
        ((200, {}, GOOD[:40]), "broken reply"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "broken reply"),
        ((200, {}, b"null"), "broken reply"),
        ((200, {}, b'{"choices": []}'), "broken reply"),
        ((200, {}, b'{"choices": [{"message": {"content": null}, "finish_reason": "stop"}]}'), "empty reply"),
    ],
)
def test_a_transient_failure_is_retried_and_counted(failure, reason, caplog):
    caplog.set_level(logging.INFO)
    with failing(failure) as server:
        (answer,) = load(server).generate([ask()])
    assert (answer.text, answer.retries) == ("well", 1)
    assert f"1 retry (1 × {reason})" in caplog.text


def test_a_timeout_is_retried(monkeypatch):
    monkeypatch.setattr("utils.llm.server.endpoint.ANSWER_TIMEOUT", 1.0)
    late, retried = threading.Event(), threading.Event()
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        if b"Prompt 1" in body and not late.is_set():
            late.set()
            retried.wait(300)
        elif b"Prompt 1" in body:
            retried.set()
        return inner._answer(path, body, headers)

    with LoopbackServer(answer) as server:
        (got,) = load(server).generate([ask()])
    assert got.text == "well"
    assert got.retries >= 1  # more on a busy machine, where also the next answer may be late


def test_an_answer_that_stays_empty_is_accepted():
    with ChatServer(message=lambda prompt: {"content": ""}) as server:
        (answer,) = load(server).generate([ask()])
    assert (answer.text, answer.finish, answer.retries) == ("", "stop", 2)


def test_an_answer_that_is_all_thought_is_cut_off_and_not_retried():
    with ChatServer(text="", thoughts="Let me think.") as server:
        (answer,) = load(server).generate([ask()])
    assert (answer.text, answer.finish, answer.retries, answer.thought_tokens) == ("", "length", 0, 1)


def test_an_empty_answer_after_long_thoughts_is_not_retried():
    reply = b'{"choices": [{"message": {"content": "", "reasoning_content": "hm"}, "finish_reason": "length"}]}'
    with failing((200, {}, reply)) as server:
        (answer,) = load(server).generate([ask()])
    assert (answer.text, answer.finish, answer.retries) == ("", "length", 0)


def test_a_request_that_always_fails_does_not_stop_the_others(monkeypatch):
    monkeypatch.setattr(retrying, "MAX_FAILURES", 3)
    inner = ChatServer()

    def answer(path, body, headers):
        return (500, {}, b"") if b"Prompt 3." in body else inner._answer(path, body, headers)

    got: list[str] = []
    with LoopbackServer(answer) as server:
        llm = load(server, batch_size=1)
        with pytest.raises(RuntimeError, match=r"1 of 6 requests, the first for sentence 3 \(HTTP 500, 3 times\)"):
            got.extend(answer.request.id for answer in llm.generate([ask(number) for number in range(6)]))
    assert sorted(got) == ["0", "1", "2", "4", "5"] or len(got) == 5


def test_behind_a_failing_proxy_every_request_is_answered_once(caplog):
    caplog.set_level(logging.INFO)
    requests = [ask(number) for number in range(200)]
    with ChatServer() as server, RoughProxy(server.address, seed=1) as proxy:
        direct = {answer.request.id: answer.text for answer in load(server).generate(requests)}
        caplog.clear()
        answers = list(load(proxy, batch_size=20).generate(requests))
    assert sorted(int(answer.request.id) for answer in answers) == list(range(200))
    assert {answer.request.id: answer.text for answer in answers} == direct
    assert set(proxy.fates) == {*RoughProxy.FAILURES, "passed on"}
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) <= 4  # few lines, which leave the progress bar in place
    assert f": {sum(answer.retries for answer in answers)} retries" in logged[-1]


def test_a_server_that_dies_ends_the_run_and_earlier_answers_are_kept():
    got: list[Answer] = []
    with ChatServer(seconds=0.01) as server:
        llm = load(server, batch_size=2, patience=0.5)
        with pytest.raises(ConnectionError, match=r"gave no answer for \d s .* All earlier answers are saved"):
            for answer in llm.generate([ask(number) for number in range(100)]):
                got.append(answer.request.id)
                if len(got) == 5:
                    threading.Thread(target=server.die).start()
    assert 5 <= len(got) == len(set(got)) < 100


def test_a_retry_after_longer_than_the_patience_ends_the_run_at_once():
    begin = time.monotonic()
    with failing((429, {"Retry-After": "3600"}, b"{}")) as server:
        llm = load(server, patience=60)
        with pytest.raises(ConnectionError, match=r"last error: HTTP 429\) and asks to wait 3600 s"):
            list(llm.generate([ask()]))
    assert time.monotonic() - begin < 3000  # it was not waited for


# --- waiting


def test_retry_after_is_read_as_seconds_or_as_a_date():
    assert retry_after({"retry-after": "2.5"}) == 2.5
    seconds = retry_after({"retry-after": formatdate(time.time() + 10, usegmt=True)})
    assert seconds is not None
    assert 8 < seconds <= 10
    assert retry_after({"retry-after": formatdate(time.time() - 10, usegmt=True)}) == 0


DATE = "Mon, 01 Jan 2024 00:00:00 +"


@pytest.mark.parametrize("value", ["", "soon", "inf", "nan", "12 parsecs", f"{DATE}99999999999999"])
def test_a_retry_after_that_cannot_be_read_is_none(value):
    assert retry_after({"retry-after": value}) is None


def test_waits_grow_to_a_maximum_and_are_random(monkeypatch):
    monkeypatch.setattr(retrying, "MAX_WAIT", 30.0)
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.5)
    waits = [back_off(5) for _ in range(20)]
    assert len(set(waits)) > 10
    assert all(8 <= wait <= 16 for wait in waits)
    assert back_off(0) <= 0.5
    assert back_off(500) <= 30


def test_a_missing_package_is_reported_with_the_install_command(monkeypatch):
    for name in ("client", "probing", "shared_dialect", "endpoint"):
        monkeypatch.delitem(sys.modules, f"utils.llm.server.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ImportError, match="pip install 'openai"):
        load_llm("tiny", "openai", LLMOptions(api_base="http://127.0.0.1:9/v1"))
