"""Single requests to a server that speaks OpenAI's HTTP API, and the kinds of their failures."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from utils.llm.server.key import read_key
from utils.llm.server.redirects import MAX_REDIRECTS, RedirectedError, check_redirect
from utils.llm.server.replies import Reply, read_completion, read_model_names
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
TOO_LONG = re.compile(r"context[\W_]*(window|length|size)", re.IGNORECASE)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(RuntimeError):
    """The server refuses the request, and would refuse it again."""


class TooLongError(RefusedError):
    """The prompt and its answer do not fit into the model's context."""


class Endpoint:
    """One model of a server; an asynchronous context manager, to be used in one event loop."""

    def __init__(self, api_base: str, model: str, patience: Patience) -> None:
        self.api_base = api_base
        self.model = model
        self.patience = patience
        self._key = read_key()
        parts = urlsplit(api_base)
        # Without proxies on this machine: one that the environment names cannot reach it.
        direct = {"trust_env": False, "verify": parts.scheme == "https"} if parts.hostname in LOOPBACK else {}
        self._client = openai.AsyncOpenAI(
            base_url=api_base,
            api_key=self._key or "none",  # the client requires one, even if the server does not
            max_retries=0,  # `Patience` retries
            timeout=openai.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT),
            http_client=openai.DefaultAsyncHttpxClient(
                max_redirects=MAX_REDIRECTS, event_hooks={"response": [check_redirect]}, **direct
            ),
        )

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.close()

    async def models(self) -> list[str]:
        """Return the names of the server's models, [] if it does not tell. Raises ValueError for a web page."""

        async def attempt(tries: int) -> list[str]:
            body = await self._ask(self._client.models.with_raw_response.list)
            try:
                return read_model_names(body)
            except ValueError as error:
                raise ValueError(f"--api_base: {self.api_base}/models {error}") from None

        return await self.patience.persist(attempt)

    async def complete(self, body: Mapping[str, Any]) -> Reply:
        """Return the answer to the messages in `body`, a request's body without the model's name.

        Raises TooLongError, RefusedError, PermissionError for a missing or wrong key, and the errors of
        `Patience.persist`.
        """

        async def attempt(tries: int) -> Reply:
            create = self._client.chat.completions.with_raw_response.create
            return read_completion(await self._ask(lambda: create(model=self.model, **body), texts), tries)

        texts = [str(message["content"]) for message in body["messages"]]
        return await self.patience.persist(attempt)

    async def call(self, send: Callable[[Any], Awaitable[Any]], read: Callable[[bytes], T]) -> T:
        """Return what `read` makes of the reply to any other request; `send` gets OpenAI's client.

        Raises RefusedError, PermissionError, and the errors of `Patience.persist`.
        """

        async def attempt(tries: int) -> T:
            return read(await self._ask(lambda: send(self._client)))

        return await self.patience.persist(attempt)

    async def _ask(self, send: Callable[[], Awaitable[Any]], texts: Sequence[str] = ()) -> bytes:
        """Return the body of the reply to a request with messages of the given texts."""
        try:
            return bytes((await send()).content)
        except openai.APITimeoutError:
            raise TransientError("time-out") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, RedirectedError):
                raise error.__cause__ from None
            if type(error.__cause__).__name__ == "TooManyRedirects":
                raise RedirectedError(f"{self.api_base} redirects in a circle: check the address") from None
            raise TransientError("connection lost") from None
        except openai.APIStatusError as error:
            raise self._failure(error, texts) from None

    def _failure(self, error: openai.APIStatusError, texts: Sequence[str]) -> Exception:
        status = error.status_code
        is_transient = status in TRANSIENT_STATUSES or status >= 500
        if is_transient and error.code != "insufficient_quota":
            return TransientError(f"HTTP {status}", retry_after=retry_after(error.response.headers), busy=status == 429)
        if status in (401, 403):
            return PermissionError(f"{self.api_base}: HTTP {status}: set OPENAI_API_KEY to a valid key")
        message = _message_of(error)
        for text in filter(None, texts):
            message = message.replace(text, "…")
        if TOO_LONG.search(f"{error.code} {error.type} {message}"):
            return TooLongError("the prompt does not fit into the model's context")
        hint = " (--api_base usually ends in /v1)" if status == 404 else ""
        return RefusedError(f"{self.api_base} refused the request: HTTP {status}: {self._shown(message, texts)}{hint}")

    def _shown(self, message: str, texts: Sequence[str]) -> str:
        """Return a server's error message, shortened, and without the messages or the key that it may repeat."""
        safe = message
        for start in (text[:20] for text in texts if text):
            safe = safe.partition(start)[0] + "…" if start in safe else safe
        return (safe.replace(self._key, "…") if self._key else safe)[:200]


def _message_of(error: openai.APIStatusError) -> str:
    body = error.body
    return str((body.get("message") if isinstance(body, dict) else body) or error.message)
