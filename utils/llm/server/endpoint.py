"""A model behind a server that speaks OpenAI's HTTP API: one request, and what its failure means."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from utils.llm.base import Finish
from utils.llm.server.retrying import Patience, TransientError, retry_after

try:
    import openai
except ImportError:
    raise ImportError("--backend=openai needs OpenAI's client: pip install 'openai>=1.50'") from None

for noisy in ("openai", "httpx", "httpx2"):  # they tell of every request, and would bury the progress bar
    logging.getLogger(noisy).setLevel(logging.ERROR)

T = TypeVar("T")
LONGEST_ANSWER = 600.0  # seconds
MAY_PASS = {408, 409, 425, 429}
EMPTY_TRIES = 2  # an answer that is empty more often is the model's own
TOO_LONG = re.compile(r"context[\W_]*(window|length|size)", re.IGNORECASE)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(RuntimeError):
    """The server will not do this, however often it is asked."""


class TooLongError(RefusedError):
    """The prompt, with its answer, does not fit into the model's context."""


@dataclass(frozen=True)
class Reply:
    """What a server answered to one request, and how many tries had failed before."""

    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int
    retries: int


class Endpoint:
    """One model of one server; an asynchronous context manager, for one event loop."""

    def __init__(self, api_base: str, model: str, patience: Patience) -> None:
        self.api_base = api_base
        self.model = model
        self.patience = patience
        self._key = os.environ.get("OPENAI_API_KEY", "").strip()
        # A proxy that the environment names cannot reach this machine's own loopback.
        parts = urlsplit(api_base)
        direct = parts.hostname in LOOPBACK
        self._client = openai.AsyncOpenAI(
            base_url=api_base,
            api_key=self._key or "none",  # the client insists on one; a local server does not look at it
            max_retries=0,  # they are counted here
            timeout=openai.Timeout(LONGEST_ANSWER, connect=10),
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, verify=parts.scheme == "https")
            if direct
            else None,
        )

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def models(self) -> list[str]:
        """Return the names of the models that the server has."""

        async def attempt(tries: int) -> list[str]:
            page = await self._ask(self._client.models.list)
            return [str(model.id) for model in getattr(page, "data", None) or []]

        return await self.patience.persist(attempt)

    async def complete(self, body: Mapping[str, Any]) -> Reply:
        """Return the answer to the user's message that `body` holds, with its parameters.

        Raises TooLongError, RefusedError (PermissionError where a key is missing), and what `Patience.persist` does.
        """

        async def attempt(tries: int) -> Reply:
            reply = await self._ask(lambda: self._client.chat.completions.create(model=self.model, **body), prompt)
            return _read(reply, tries)

        prompt = str(body["messages"][0]["content"])
        return await self.patience.persist(attempt)

    async def _ask(self, send: Callable[[], Awaitable[T]], prompt: str = "") -> T:
        try:
            return await send()
        except openai.APITimeoutError:
            raise TransientError("time-out") from None
        except openai.APIConnectionError:
            raise TransientError("connection lost") from None
        except openai.APIStatusError as error:
            raise self._failure(error, prompt) from None
        except (openai.APIResponseValidationError, ValueError):  # half a body that calls itself whole
            raise TransientError("broken reply") from None

    def _failure(self, error: openai.APIStatusError, prompt: str) -> Exception:
        status = error.status_code
        passing = status in MAY_PASS or status >= 500
        if passing and error.code != "insufficient_quota":
            return TransientError(f"HTTP {status}", retry_after=retry_after(error.response.headers), busy=status == 429)
        if status in (401, 403):
            return PermissionError(f"{self.api_base}: HTTP {status}: set OPENAI_API_KEY to a key that it takes")
        said = _words_of(error).replace(prompt, "…") if prompt else _words_of(error)
        if TOO_LONG.search(f"{error.code} {error.type} {said}"):
            return TooLongError("the prompt does not fit into the model's context")
        hint = " (does --api_base end as the server wants it, …/v1?)" if status == 404 else ""
        return RefusedError(f"{self.api_base} refuses the request: HTTP {status}: {self._shown(said, prompt)}{hint}")

    def _shown(self, words: str, prompt: str) -> str:
        """Return a server's words, shortened; a key, or a part of a prompt, that it repeats is not shown."""
        start = prompt[:20]
        known = words.partition(start)[0] + "…" if start and start in words else words
        return (known.replace(self._key, "…") if self._key else known)[:200]


def _words_of(error: openai.APIStatusError) -> str:
    body = error.body
    return str((body.get("message") if isinstance(body, dict) else body) or error.message)


def _read(reply: Any, tries: int) -> Reply:
    """Return what a reply holds; a model's thoughts, which stand apart from its answer, are left out."""
    choices: Any = getattr(reply, "choices", None) or [None]
    message = getattr(choices[0], "message", None)
    if message is None:
        raise TransientError("broken reply")
    text = (message.content or "").strip()
    finish: Finish = "length" if choices[0].finish_reason == "length" else "stop"
    if not text and finish == "stop" and tries < EMPTY_TRIES:
        raise TransientError("empty reply")
    usage = reply.usage
    return Reply(
        text,
        finish,
        getattr(usage, "prompt_tokens", None) or 0,
        getattr(usage, "completion_tokens", None) or 0,
        retries=tries,
    )
