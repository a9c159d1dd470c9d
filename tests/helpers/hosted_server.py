"""A server on this machine as hosted services are: it refuses requests, and counts tokens, thoughts and caches."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

from tests.helpers.hosted_answers import Body, free_text, from_schema, is_question, items_of, prompt_of
from tests.helpers.llm_server import LoopbackServer, Reply

THOUGHTS = "The user wants a list. Let me look at each word."
THOUGHT_TOKENS = 120


class RefusedError(Exception):
    """A refusal: HTTP status and body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def refuse(message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> RefusedError:
    """Return a refusal in OpenAI's form."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return RefusedError(status, {"error": error})


class HostedServer(LoopbackServer):
    """A service with one model; a subclass for each dialect overrides what it refuses, and what it does."""

    model = "tiny"
    listed: str | None = "tiny"  # in its list of models; None: it refuses to list them
    guidance = "free"  # the strictest guidance that it follows
    thinks_by_default = False

    def __init__(self, *, seconds: float = 0.0) -> None:
        super().__init__(self._answer)
        self.seconds = seconds
        self.answered: list[tuple[float, Body, Body]] = []  # time, body and usage of each answered request
        self.refusals: list[str] = []
        self.times: list[float] = []  # of all requests for answers
        self._lock = threading.Lock()

    # --- what a dialect overrides

    def check(self, body: Body) -> None:
        """Raise RefusedError for what the service refuses."""

    def thinks(self, body: Body) -> bool:
        """Return whether the model thinks before it answers this request."""
        return self.thinks_by_default

    def limit(self, body: Body) -> int:
        return int(body.get("max_tokens") or 4096)

    def shows_thoughts(self) -> str | None:
        """Return the field of a message for thoughts."""
        return "reasoning_content"

    def text(self, body: Body) -> str:
        """Return the answer."""
        form = body.get("response_format", {}).get("type")
        if form == "json_schema":
            return from_schema(body["response_format"]["json_schema"]["schema"], prompt_of(body))
        if form == "json_object":
            return json.dumps({"items": items_of(prompt_of(body))} if is_question(body) else {"hello": "you"})
        return free_text(prompt_of(body))

    # --- what all have in common

    def sentences(self) -> Counter[str]:
        """Return how often each question, apart from probes, was answered."""
        prompts = [prompt_of(body) for _, body, _ in self.answered]
        return Counter(prompt for prompt in prompts if not prompt.startswith("Say hello"))

    def tokens(self) -> Counter[str]:
        """Return the tokens of all answered requests."""
        total: Counter[str] = Counter()
        for _, _, usage in self.answered:
            total += Counter({name: usage[name] for name in ("prompt_tokens", "completion_tokens")})
            total["cached_tokens"] += usage["prompt_tokens_details"]["cached_tokens"]
        return total

    def headers(self) -> dict[str, str]:
        return {}

    def busy(self) -> Reply | None:
        """Return a refusal because of too many requests, or None."""
        return None

    def _answer(self, path: str, data: bytes, headers: dict[str, str]) -> Reply:
        if path.endswith("/models"):
            if self.listed is None:
                return (
                    401,
                    {},
                    b'{"error": {"type": "authentication_error", "message": "x-api-key header is required"}}',
                )
            return 200, {}, json.dumps({"object": "list", "data": [{"id": self.listed, "object": "model"}]}).encode()
        body = json.loads(data)
        with self._lock:
            self.times.append(time.monotonic())
            busy = self.busy()
        if busy is not None:
            return busy
        try:
            self.check(body)
        except RefusedError as refused:
            with self._lock:
                self.refusals.append(str(refused))
            return refused.status, {}, json.dumps(refused.body, ensure_ascii=False).encode()
        time.sleep(self.seconds)
        return 200, self.headers(), json.dumps(self._completion(body)).encode()

    def _completion(self, body: Body) -> Body:
        thinks, limit = self.thinks(body), self.limit(body)
        thought_tokens = min(THOUGHT_TOKENS, limit) if thinks else 0
        text = self.text(body)
        cut = text[: 4 * (limit - thought_tokens)]
        message: Body = {"role": "assistant", "content": cut or None}
        if thinks and self.shows_thoughts():
            message[self.shows_thoughts() or ""] = THOUGHTS
        prompt_tokens = len(prompt_of(body)) // 3 + 8
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(cut) // 4 + 1 + thought_tokens,
            "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2},
            "completion_tokens_details": {"reasoning_tokens": thought_tokens},
        }
        with self._lock:
            self.answered.append((time.monotonic(), body, usage))
        finish = "stop" if cut == text else "length"
        return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}
