"""Single requests to a server that speaks OpenAI's HTTP API, and the kinds of their failures."""

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

for noisy in ("openai", "httpx", "httpx2"):  # they log every request, which would break the progress bar
    logging.getLogger(noisy).setLevel(logging.ERROR)

T = TypeVar("T")
ANSWER_TIMEOUT, CONNECT_TIMEOUT = 600.0, 10.0  # seconds
TRANSIENT_STATUSES = {408, 409, 425, 429}  # besides all from 500: the same request may succeed later
EMPTY_RETRIES = 2  # an answer that is still empty after these is taken as the model's answer
TOO_LONG = re.compile(r"context[\W_]*(window|length|size)", re.IGNORECASE)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(RuntimeError):
    """The server refuses the request, and would refuse it again."""


class TooLongError(RefusedError):
    """The prompt and its answer do not fit into the model's context."""


@dataclass(frozen=True)
class Reply:
    """A server's answer to one request, and the number of failed attempts before it."""

    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int
    retries: int


class Endpoint:
    """One model of a server; an asynchronous context manager, to be used in one event loop."""

    def __init__(self, api_base: str, model: str, patience: Patience) -> None:
        self.api_base = api_base
        self.model = model
        self.patience = patience
        self._key = os.environ.get("OPENAI_API_KEY", "").strip()
        parts = urlsplit(api_base)
        http_client = None
        if parts.hostname in LOOPBACK:  # without proxies: one that the environment names cannot reach this machine
            http_client = openai.DefaultAsyncHttpxClient(trust_env=False, verify=parts.scheme == "https")
        self._client = openai.AsyncOpenAI(
            base_url=api_base,
            api_key=self._key or "none",  # the client requires one, even if the server does not
            max_retries=0,  # `Patience` retries
            timeout=openai.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT),
            http_client=http_client,
        )

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def models(self) -> list[str]:
        """Return the names of the server's models."""

        async def attempt(tries: int) -> list[str]:
            page = await self._ask(self._client.models.list)
            return [str(model.id) for model in getattr(page, "data", None) or []]

        return await self.patience.persist(attempt)

    async def complete(self, body: Mapping[str, Any]) -> Reply:
        """Return the answer to the message in `body`, a request's body without the model's name.

        Raises TooLongError, RefusedError, PermissionError for a missing or wrong key, and the errors of
        `Patience.persist`.
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
        except (openai.APIResponseValidationError, ValueError):  # as for a body that was cut off
            raise TransientError("broken reply") from None

    def _failure(self, error: openai.APIStatusError, prompt: str) -> Exception:
        status = error.status_code
        is_transient = status in TRANSIENT_STATUSES or status >= 500
        if is_transient and error.code != "insufficient_quota":
            return TransientError(f"HTTP {status}", retry_after=retry_after(error.response.headers), busy=status == 429)
        if status in (401, 403):
            return PermissionError(f"{self.api_base}: HTTP {status}: set OPENAI_API_KEY to a valid key")
        message = _message_of(error).replace(prompt, "…") if prompt else _message_of(error)
        if TOO_LONG.search(f"{error.code} {error.type} {message}"):
            return TooLongError("the prompt does not fit into the model's context")
        hint = " (--api_base usually ends in /v1)" if status == 404 else ""
        return RefusedError(f"{self.api_base} refused the request: HTTP {status}: {self._shown(message, prompt)}{hint}")

    def _shown(self, message: str, prompt: str) -> str:
        """Return a server's error message, shortened, and without the prompt or the key that it may repeat."""
        start = prompt[:20]
        safe = message.partition(start)[0] + "…" if start and start in message else message
        return (safe.replace(self._key, "…") if self._key else safe)[:200]


def _message_of(error: openai.APIStatusError) -> str:
    body = error.body
    return str((body.get("message") if isinstance(body, dict) else body) or error.message)


def _read(reply: Any, tries: int) -> Reply:
    """Return the answer in a reply, without the model's thoughts, which have a field of their own.

    Raises TransientError for a reply without a message, and for an empty answer that was not retried often enough.
    """
    choices: Any = getattr(reply, "choices", None) or [None]
    message = getattr(choices[0], "message", None)
    if message is None:
        raise TransientError("broken reply")
    text = (message.content or "").strip()
    finish: Finish = "length" if choices[0].finish_reason == "length" else "stop"
    if not text and finish == "stop" and tries < EMPTY_RETRIES:
        raise TransientError("empty reply")
    usage = reply.usage
    return Reply(
        text,
        finish,
        getattr(usage, "prompt_tokens", None) or 0,
        getattr(usage, "completion_tokens", None) or 0,
        retries=tries,
    )
