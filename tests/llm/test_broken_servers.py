"""The openai backend with servers that reply in unknown shapes, hang, or redirect: no traceback, no endless wait."""

from __future__ import annotations

import json
import random
import threading
import time

import pytest

from tests.helpers.damaged_json import damaged
from tests.helpers.llm_server import ChatServer, LoopbackServer
from utils.llm import Answer, LLMOptions, Request, load_llm
from utils.llm.base import choose_backend
from utils.llm.server.replies import read_completion, read_model_names
from utils.llm.server.retrying import TransientError

pytest.importorskip("openai")
from utils.llm.server import probing, retrying

pytestmark = pytest.mark.usefixtures("short_waits")


def ask(number=1):
    return Request(str(number), "entity", f"Prompt {number}.", 20)


def load(server, **options):
    return load_llm("tiny", "openai", LLMOptions(api_base=server.api_base, **{"batch_size": 4, **options}))


def serving(answer_to, models=None):
    """Return a server that answers the probes well, and prompt N with the reply `answer_to(N)`, None for a good one."""
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        if path.endswith("/models"):
            return models or inner._answer(path, body, headers)
        prompt = json.loads(body)["messages"][0]["content"]
        reply = answer_to(int(prompt[7:-1])) if prompt.startswith("Prompt") else None
        return reply or inner._answer(path, body, headers)

    return LoopbackServer(answer)


def completion(content, **others):
    return {"choices": [{"message": {"content": content}, "finish_reason": "stop"}], **others}


def read(reply):
    answer = read_completion(json.dumps(reply).encode(), 9)
    return answer.text, answer.finish, answer.prompt_tokens, answer.answer_tokens


# --- the shape of replies

DEEP = b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BROKEN_REPLIES = {
    "a number": completion(7),
    "an object": completion({"text": "x"}),
    "a bool": completion(True),
    "parts without a text": completion([{"type": "image"}]),
    "parts that are numbers": completion([1, 2]),
    "a message that is a string": {"choices": [{"message": "x"}]},
    "a message that is a list": {"choices": [{"message": [{"content": "x"}]}]},
    "no message": {"choices": [{"text": "x"}]},
    "choices as an object": {"choices": {"0": {"message": {"content": "x"}}}},
    "choices of strings": {"choices": ["x"]},
    "choices as a string": {"choices": "x"},
    "a list": [completion("x")],
    "a string": "x",
    "a number alone": 1,
}


@pytest.mark.parametrize("name", BROKEN_REPLIES)
def test_a_reply_in_another_shape_is_a_broken_reply(name):
    with pytest.raises(TransientError, match="broken reply"):
        read(BROKEN_REPLIES[name])


@pytest.mark.parametrize(
    "body", [DEEP, b"", b"{", b"\xff\xfe\xfd", b"[" * 100_000, b"<html>", b'{"choices": ' + b"9" * 9000]
)
def test_a_body_that_is_not_json_is_a_broken_reply(body):
    with pytest.raises(TransientError, match="broken reply"):
        read_completion(body, 9)


def test_the_text_of_parts_is_joined():
    assert read(completion([{"type": "text", "text": "[{"}, {"type": "text", "text": "}]"}]))[0] == "[{}]"
    assert read(completion(["a", "b"]))[0] == "ab"
    assert read(completion([]))[0] == ""


def test_half_of_a_surrogate_pair_is_replaced():
    assert read(completion("a\ud800b"))[0] == "a\ufffdb"
    assert read(completion("a😀b"))[0] == "a😀b"


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3)),
        ({"prompt_tokens": 12.0}, (12, 0)),
        ({"prompt_tokens": True, "completion_tokens": False}, (0, 0)),
        ({"prompt_tokens": float("inf"), "completion_tokens": float("nan")}, (0, 0)),
        ({"prompt_tokens": "12", "completion_tokens": [3]}, (0, 0)),
        ({"prompt_tokens": -5, "completion_tokens": 10**400}, (0, 0)),
        ({"prompt_tokens": 1.5, "completion_tokens": None}, (0, 0)),
        ([12, 3], (0, 0)),
        ("12", (0, 0)),
        (7, (0, 0)),
        (None, (0, 0)),
    ],
)
def test_counts_of_tokens_are_numbers_or_zero(usage, counts):
    assert read(completion("x", usage=usage))[2:] == counts


@pytest.mark.parametrize(
    ("usage", "cached", "thoughts"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": {"reasoning_tokens": 5}}, 8, 5),
        ({"prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 1}, 7, 0),
        ({"cached_tokens": 6}, 6, 0),
        ({"prompt_tokens_details": None, "completion_tokens_details": [3]}, 0, 0),
        (
            {"prompt_tokens_details": {"cached_tokens": "8"}, "completion_tokens_details": {"reasoning_tokens": -1}},
            0,
            0,
        ),
    ],
)
def test_cached_tokens_and_thoughts_are_read_from_every_known_field(usage, cached, thoughts):
    answer = read_completion(json.dumps(completion("x", usage=usage)).encode(), 9)
    assert (answer.cached_tokens, answer.thought_tokens) == (cached, thoughts)


@pytest.mark.parametrize("finish", ["stop", None, 7, [], {"a": 1}, "tool_calls"])
def test_any_other_reason_to_end_is_a_stop(finish):
    assert read({"choices": [{"message": {"content": "x"}, "finish_reason": finish}]})[1] == "stop"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
        ({"models": [{"name": "a"}]}, ["a"]),
        ([{"id": "a"}], ["a"]),
        (["a", "b"], ["a", "b"]),
        ({"data": {"id": "a"}}, []),
        ({"data": [7, None, {"id": 3}, [], {"id": "a"}]}, ["a"]),
        ({"data": "a"}, []),
        ({}, []),
        ("a", []),
        (7, []),
        (None, []),
    ],
)
def test_the_models_of_a_server_are_read_from_every_shape(body, names):
    assert read_model_names(json.dumps(body).encode()) == names


def test_a_web_page_in_place_of_the_models_is_a_wrong_address():
    page = (200, {"Content-Type": "text/html"}, b"\n<!DOCTYPE html><html>Welcome</html>")
    with (
        serving(lambda number: None, models=page) as server,
        pytest.raises(ValueError, match=r"--api_base: http://127.0.0.1:\d+/v1/models answers with a web page"),
    ):
        load(server)


@pytest.mark.parametrize(
    "models", [b"[]", b'["x"]', b'{"data": "x"}', b'{"data": {"id": "x"}}', b"7", b'{"data": [1]}']
)
def test_models_in_another_shape_end_in_no_traceback(models):
    with serving(lambda number: None, models=(200, {}, models)) as server:
        try:
            assert [answer.text for answer in load(server).generate([ask()])] == ["well"]
        except ValueError as error:
            assert "has no model 'tiny'; it has x" in str(error)


@pytest.mark.parametrize("count", [3_000, pytest.param(300_000, marks=pytest.mark.slow)])
def test_damaged_replies_are_read_or_broken(count):
    rng = random.Random(20)
    whole = completion([{"type": "text", "text": "x"}], usage={"prompt_tokens": 1, "completion_tokens": 2})
    models = {"data": [{"id": "a"}, {"id": "b"}]}
    for _ in range(count):
        try:
            text, _, *tokens = read(damaged(whole, rng))
            assert isinstance(text, str)
            assert all(type(number) is int and number >= 0 for number in tokens)
        except TransientError:
            pass
        assert all(type(name) is str for name in read_model_names(json.dumps(damaged(models, rng)).encode()))


def test_a_reply_that_is_always_broken_costs_only_its_own_sentence(monkeypatch):
    monkeypatch.setattr(retrying, "MAX_FAILURES", 3)
    got: list[Answer] = []
    broken: tuple[int, dict[str, str], bytes] = (200, {}, json.dumps(BROKEN_REPLIES["a number"]).encode())
    with serving(lambda number: broken if number == 2 else None) as server:
        llm = load(server, batch_size=1)
        with pytest.raises(RuntimeError, match=r"1 of 4 requests, the first for sentence 2 \(broken reply, 3 times\)"):
            got.extend(llm.generate([ask(number) for number in range(4)]))
    assert [answer.request.id for answer in got] == ["0", "1", "3"]


# --- servers that hang


def hanging(is_reached):
    """Return a server that answers no request for which `is_reached(path, prompt)` is true, until it is closed."""
    closed = threading.Event()
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        if is_reached(path, body):
            closed.wait(60)
            return None
        return inner._answer(path, body, headers)

    return LoopbackServer(answer), closed


def check_end(is_reached, patience, most, **options):
    server, closed = hanging(is_reached)
    got: list[Answer] = []
    with server:
        begin = time.monotonic()
        with pytest.raises(ConnectionError, match=r"gave no answer for \d s \(last error: time-out\)"):
            got.extend(load(server, patience=patience, **options).generate([ask(number) for number in range(6)]))
        assert time.monotonic() - begin < most
        closed.set()
    return got


def test_a_server_that_hangs_from_the_start_ends_the_run_after_the_patience():
    assert check_end(lambda path, body: True, 1.0, 20) == []


def test_a_server_that_hangs_at_the_first_answer_ends_the_run_after_the_patience():
    assert check_end(lambda path, body: b"Prompt" in body, 1.0, 20) == []


def test_a_server_that_hangs_later_keeps_the_answers_before():
    got = check_end(lambda path, body: b"Prompt 4." in body, 1.0, 20, batch_size=1)
    assert [answer.request.id for answer in got] == ["0", "1", "2", "3"]


def test_a_slow_request_is_waited_for_while_others_are_answered():
    answered = []
    all_others = threading.Event()
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        if b"Prompt 0." in body:
            all_others.wait(60)
        elif b"Prompt" in body:
            time.sleep(0.5)
            answered.append(body)
            if len(answered) == 9:
                all_others.set()
        return inner._answer(path, body, headers)

    with LoopbackServer(answer) as server:
        llm = load(server, patience=4, batch_size=2)
        assert len(list(llm.generate([ask(number) for number in range(10)]))) == 10


# --- keys and addresses


@pytest.mark.parametrize(
    ("key", "what"), [("schlüssel-7353", "not printable ASCII at position 5 of 14"), ("a\nb-7353", "a line break")]
)
@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"])
def test_a_key_that_cannot_be_sent_is_named_before_anything_is_sent(name, key, what, monkeypatch):
    monkeypatch.setenv(name, key)
    with pytest.raises(ValueError, match=f"{name} has .*{what}") as raised:
        choose_backend("tiny", "openai", "http://127.0.0.1:9/v1")
    assert "7353" not in str(raised.value)


def test_spaces_and_line_breaks_around_a_key_do_not_matter(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", " secret \n")
    with ChatServer(key="secret") as server:
        assert len(list(load(server).generate([ask()]))) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:80x/v1",
        "http://localhost:99999/v1",
        "http://local host/v1",
        "http://[::1/v1",
        "http://a\nb/v1",
    ],
)
def test_an_address_that_cannot_be_right_is_named(address):
    with pytest.raises(ValueError, match="is not the address of a server"):
        choose_backend("tiny", "openai", address)


# --- redirects


def redirecting(location, status=307, only=b""):
    """Return a server that redirects the requests whose body contains `only`, and the bodies that it got."""
    inner = ChatServer(text="well")
    bodies = []

    def answer(path, body, headers):
        bodies.append(body)
        if only in body and not path.endswith("/well"):
            return status, {"Location": location}, b""
        return inner._answer(path.replace("/well", ""), body, headers)

    return LoopbackServer(answer), bodies


@pytest.mark.parametrize("only", [b"", b"Say hello", b"Prompt"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_is_an_error_that_names_both(status, only):
    with ChatServer() as other:
        server, _ = redirecting(f"{other.api_base}/chat/completions", status, only)
        pattern = rf"{server.address} redirects to another server, {other.address}; nothing was sent there"
        with server, pytest.raises(ValueError, match=pattern):
            list(load(server).generate([ask()]))
    assert other.asked == []


def test_a_redirect_on_the_same_server_is_followed():
    server, _ = redirecting("/v1/chat/completions/well", only=b"Prompt")
    with server:
        assert [answer.text for answer in load(server).generate([ask()])] == ["well"]


def test_a_circle_of_redirects_ends_at_once():
    server, bodies = redirecting("/v1/chat/completions", only=b"Prompt")
    with server, pytest.raises(ValueError, match="redirects in a circle"):
        list(load(server).generate([ask()]))
    assert sum(b"Prompt" in body for body in bodies) <= 3


def test_a_redirect_that_loses_the_prompt_is_an_error():
    server, _ = redirecting("/login", 302, only=b"Prompt")
    with (
        server,
        pytest.raises(ValueError, match=r"chat/completions redirects to '/login', which would not get the prompt"),
    ):
        list(load(server).generate([ask()]))


@pytest.mark.parametrize("location", ["http://[::1", "http://a:99x/", "//evil.example/x", "ftp://127.0.0.1/", "\t"])
def test_an_odd_redirect_is_an_error_or_followed_on_the_same_server(location):
    server, _ = redirecting(location, only=b"Prompt")
    with server, pytest.raises((ValueError, RuntimeError), match=r"redirects to|redirects in|refused"):
        list(load(server).generate([ask()]))


def test_the_probes_of_a_server_are_not_repeated_for_the_same_patience():
    with ChatServer() as server:
        for _ in range(2):
            probing.find_dialect("tiny", server.api_base, 300.0)
        assert len(server.asked) <= 6
