"""A small OpenAI-compatible server on this machine, and a proxy that fails at random."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = ("lamp", "tide", "north", "keel", "fog", "rope")
Reply = tuple[int, dict[str, str], bytes]  # status, headers, body
EndlessReply = tuple[int, dict[str, str], Iterable[bytes]]  # with a body that ends when the connection does


class LoopbackServer:
    """A server in threads of this process; a context manager. `answer(path, body, headers)` returns the reply."""

    def __init__(self, answer: Callable[[str, bytes, dict[str, str]], Reply | EndlessReply | None]) -> None:
        dead = self._dead = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = None if dead.is_set() else answer(self.path, body, headers)
                self.close_connection = reply is None
                if reply is not None:
                    self._send(*reply)

            def _send(self, status: int, headers: dict[str, str], body: bytes | Iterable[bytes]) -> None:
                self.send_response(status)
                if not isinstance(body, bytes):
                    self._send_parts(headers, body)
                    return
                length = headers.get("Content-Length", str(len(body)))
                for name, value in {"Content-Type": "application/json", **headers, "Content-Length": length}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = int(length) != len(body)

            def _send_parts(self, headers: dict[str, str], parts: Iterable[bytes]) -> None:
                for name, value in {"Content-Type": "application/json", **headers, "Connection": "close"}.items():
                    self.send_header(name, value)
                self.end_headers()
                for part in parts:
                    self.wfile.write(part)

            do_GET = do_POST = _handle  # noqa: N815

            def log_message(self, *words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *words: object) -> None:
                pass  # the client has closed the connection

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.api_base = f"{self.address}/v1"

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.die()

    def die(self) -> None:
        """Stop listening, and stop answering on open connections."""
        self._dead.set()
        self._server.shutdown()
        self._server.server_close()


class ChatServer(LoopbackServer):
    """A server with a model that draws words by the prompt's hash and, for sampled answers, the seed."""

    def __init__(
        self,
        *,
        models: Sequence[str] = ("tiny",),
        key: str | None = None,
        grammar_field: str | None = None,
        known: Sequence[str] | None = None,
        seconds: float = 0.0,
        text: str | None = None,
        message: Callable[[str], dict[str, Any]] | None = None,
        has_system: bool = True,
        complete: Callable[[dict[str, Any], str], dict[str, Any]] | None = None,
        thoughts: str | None = None,
    ) -> None:
        super().__init__(self._answer)
        self.thoughts = thoughts
        self.models = models
        self.key = key
        self.grammar_field = grammar_field
        self.known = known  # the parameters that it accepts; None: all
        self.seconds = seconds
        self.text = text
        self.message = message  # prompt -> message; None: a text, and thoughts in a field of their own
        self.has_system = has_system
        self.refused = 0  # requests with a system message
        self.complete = complete  # body, text -> reply; None: with counts of words
        self.asked: list[dict[str, Any]] = []
        self.under_way = self.most_at_once = 0
        self._lock = threading.Lock()

    def prompts(self) -> Counter[str]:
        """Return how often each prompt was answered."""
        return Counter(body["messages"][0]["content"] for body in self.asked)

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        if path.endswith("/models"):
            return _json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            return _json(401, {"error": {"message": f"no such key: {headers.get('authorization')}"}})
        if not path.endswith("/chat/completions"):
            return _json(404, {"error": {"message": "no such route"}})
        with self._lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            time.sleep(self.seconds)
            return self._complete(json.loads(body))
        finally:
            with self._lock:
                self.under_way -= 1

    def _complete(self, body: dict[str, Any]) -> Reply:
        unknown = set(body) - set(self.known) if self.known is not None else set()
        if unknown:
            return _json(400, {"error": {"message": f"unknown parameters: {', '.join(sorted(unknown))}"}})
        if not self.has_system and body["messages"][0]["role"] == "system":
            self.refused += 1
            return _json(400, {"error": {"message": "System role not supported"}})
        prompt = body["messages"][0]["content"]
        if len(prompt.split()) > 1000:
            return _json(400, {"error": {"message": f"{prompt}: longer than the model's context length"}})
        with self._lock:
            self.asked.append(body)
        words = self._words(body, prompt)
        cut = words[: body["max_tokens"]]
        message = {"role": "assistant", "content": " ".join(cut), "reasoning_content": self.thoughts}
        message = self.message(prompt) if self.message else message
        if self.complete and "content" in message:
            return _json(200, self.complete(body, str(message["content"])))
        finish = "stop" if len(cut) == len(words) else "length"
        # As in real servers, a role token inside the message is one token; here, every other character is one, too.
        usage = {"prompt_tokens": len(re.sub(r"<\|im_(start|end)\|>", "R", prompt)), "completion_tokens": len(cut)}
        return _json(200, {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage})

    def _words(self, body: dict[str, Any], prompt: str) -> list[str]:
        grammar = _at(body, (self.grammar_field or "").split("."))
        if grammar:
            return [_literal(grammar)]
        if self.text is not None:
            return self.text.split()
        seed = body["seed"] if body.get("temperature") else 0
        draw = random.Random(hashlib.sha256(f"{seed}:{prompt}".encode()).digest())
        return draw.choices(WORDS, k=draw.randint(2, 12))


class RoughProxy(LoopbackServer):
    """A proxy for a server that fails at random, in the same way for the same seed and order of requests."""

    FAILURES = ("busy", "busy until", "error", "half a body", "half a JSON", "nothing")

    def __init__(self, upstream: str, *, seed: int = 0, share: float = 0.4) -> None:
        super().__init__(self._answer)
        self.upstream = upstream
        self.share = share
        self.fates: Counter[str] = Counter()
        self._draw = random.Random(seed)
        self._lock = threading.Lock()
        # Without proxies of the environment, which cannot reach this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _answer(self, path: str, body: bytes, headers: dict[str, str]) -> Reply | None:
        with self._lock:
            fate = self._draw.choice(self.FAILURES) if self._draw.random() < self.share else "passed on"
            self.fates[fate] += 1
        if fate == "nothing":
            return None
        if fate == "busy":
            return 429, {"Retry-After": "0.2"}, b'{"error": {"message": "slow down"}}'
        if fate == "busy until":
            return 429, {"Retry-After": formatdate(time.time() + 1, usegmt=True)}, b"{}"
        if fate == "error":
            return 500, {"Content-Type": "text/html"}, b"<html>Internal Server Error</html>"
        status, sent = self._pass_on(path, body, headers)
        if fate == "half a body":
            return status, {"Content-Length": str(len(sent))}, sent[: len(sent) // 2]
        return status, {}, sent[: len(sent) // 2] if fate == "half a JSON" else sent

    def _pass_on(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        kept = {name: headers[name] for name in ("content-type", "authorization") if name in headers}
        request = urllib.request.Request(self.upstream + path, body or None, kept)
        try:
            with self._opener.open(request, timeout=600) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


def _json(status: int, value: Any) -> Reply:
    return status, {}, json.dumps(value).encode()


def _at(body: Any, path: Sequence[str]) -> str | None:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _literal(grammar: str) -> str:
    """Return an answer that a grammar allows, if it has only alternatives and sequences of literals and rules."""
    rules = dict(line.split(" ::= ") for line in grammar.split("\n"))
    words = rules["root"].split(" | ")[-1].split()
    return "".join(word[1:-1] if word.startswith('"') else _literal(f"root ::= {rules[word]}") for word in words)
