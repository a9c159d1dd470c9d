"""Servers that send replies without an end, huge ones, and small ones that unpack to huge ones."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import tracemalloc

import pytest

from tests.helpers.llm_server import ChatServer, LoopbackServer
from utils.llm import Answer, LLMOptions, Request, load_llm

pytest.importorskip("openai")
from utils.llm.batch import service
from utils.llm.server import endpoint
from utils.llm.server.limits.size import MAX_REPLY, MEBIBYTE, ReplyTooLargeError

pytestmark = pytest.mark.usefixtures("short_waits")

ENDLESS = itertools.repeat(b" " * 2**16)
BOMB = gzip.compress(bytes(40 * MEBIBYTE))
GZIP = {"Content-Encoding": "gzip"}
TOO_LARGE = {
    "an endless body": (200, {}, ENDLESS),
    "a huge body": (200, {}, b" " * (MAX_REPLY + 1)),
    "a body that unpacks to a huge one": (200, GZIP, BOMB),
    "an endless refusal": (400, {}, ENDLESS),
    "an endless failure": (503, {}, ENDLESS),
    "a redirect with an endless body": (307, {"Location": "/v1/x"}, ENDLESS),
}
WHERE = {"models": b"", "a probe": b"Say hello", "an answer": b"Prompt 2."}


def ask(number):
    return Request(str(number), "entity", f"Prompt {number}.", 20)


def load(server, **options):
    return load_llm("tiny", "openai", LLMOptions(api_base=server.api_base, **{"batch_size": 1, **options}))


def serving(reply, to=b"Prompt 2."):
    """Return a server that sends `reply` to requests with a text in their body; to all for an empty text."""
    inner = ChatServer(text="well")

    def answer(path, body, headers):
        return reply if to in body else inner._answer(path, body, headers)

    return LoopbackServer(answer)


def check_error(reply, to, message):
    got: list[Answer] = []
    with serving(reply, to) as server, pytest.raises(ReplyTooLargeError, match=message) as raised:
        got.extend(load(server).generate([ask(number) for number in range(4)]))
    assert server.api_base in str(raised.value)
    return [answer.request.id for answer in got]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_reply_that_is_too_large_is_an_error_with_server_and_limit(name, where):
    answered = check_error(TOO_LARGE[name], WHERE[where], "sent a reply of more than 16 MiB")
    assert answered == (["0", "1"] if where == "an answer" else [])


@pytest.mark.parametrize("packing", ["gzip, gzip", "br", "zstd", "deflate", "identity, gzip", "x\x1b[2J"])
def test_a_reply_in_a_packing_that_was_not_asked_for_is_refused(packing):
    check_error((200, {"Content-Encoding": packing}, BOMB), b"Prompt 2.", "packed as .*, which was not asked for")


def test_a_small_body_that_unpacks_to_a_huge_one_does_not_fill_the_memory():
    with serving((200, GZIP, gzip.compress(bytes(100 * MEBIBYTE)))) as server:
        llm = load(server)
        tracemalloc.start()
        with pytest.raises(ReplyTooLargeError):
            list(llm.generate([ask(2)]))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * MAX_REPLY


def test_a_packed_answer_is_unpacked():
    reply = {"choices": [{"message": {"content": "packed"}, "finish_reason": "stop"}]}
    with serving((200, GZIP, gzip.compress(json.dumps(reply).encode()))) as server:
        assert [answer.text for answer in load(server).generate([ask(2)])] == ["packed"]


def test_an_answer_that_comes_byte_by_byte_ends_after_the_time_of_an_answer(monkeypatch):
    monkeypatch.setattr(endpoint, "ANSWER_TIMEOUT", 0.3)
    sent = []

    def drip():
        while True:
            sent.append(1)
            time.sleep(0.05)
            yield b" "

    inner = ChatServer(text="well")

    def answer(path, body, headers):
        return (200, {}, drip()) if b"Prompt 2." in body and not sent else inner._answer(path, body, headers)

    with LoopbackServer(answer) as server:
        (reply,) = load(server).generate([ask(2)])
    assert (reply.text, reply.retries) == ("well", 1)


def test_the_results_of_a_batch_have_a_limit_of_their_own(monkeypatch):
    with serving((200, {}, b" " * (MAX_REPLY + 1)), to=b"") as server:
        one = service.BatchService("tiny", LLMOptions(api_base=server.api_base, patience=5))
        assert len(one.download("file-1")) == MAX_REPLY + 1
        with pytest.raises(ReplyTooLargeError, match="more than 16 MiB"):
            one.status("batch-1")
        monkeypatch.setattr(service, "MAX_DOWNLOAD", 2 * MEBIBYTE)
        with pytest.raises(ReplyTooLargeError, match="more than 2 MiB"):
            one.download("file-1")
