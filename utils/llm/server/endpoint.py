"""Single requests to a server that speaks OpenAI's HTTP API, and the kinds of their failures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from utils.llm.server.key import read_key
from utils.llm.server.limits.budget import Budget
from utils.llm.server.limits.pacing import Pace, Ticket
from utils.llm.server.redirects import MAX_REDIRECTS, RedirectedError, check_redirect
from utils.llm.server.refusals import LIMIT_FIELDS, OUT_OF_MONEY, TOO_LONG, TRANSIENT_STATUSES, Refusal
from utils.llm.server.replies import EmptyReplyError, Reply, read_completion, read_model_names
from utils.llm.server.retrying import Patience, TransientError, retry_after

try:
    import openai

    from utils.llm.server.limits.size import ENCODINGS, MAX_REPLY, ReplyTooLargeError, limit_replies
except ImportError:
    raise ImportError("--backend=openai needs OpenAI's client: pip install 'openai>=1.50'") from None

for noisy in ("openai", "httpx", "httpx2"):  # they log every request, which would break the progress bar
    logging.getLogger(noisy).setLevel(logging.ERROR)

T = TypeVar("T")
ANSWER_TIMEOUT, CONNECT_TIMEOUT = 600.0, 10.0  # seconds, the first one also for a reply that comes byte by byte
BYTES_PER_TOKEN = 3  # or more, in Chinese and in English
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class RefusedError(RuntimeError):
    """The server refuses the request, and would refuse it again."""

    def __init__(self, message: str, refusal: Refusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal or Refusal(message)


class TooLongError(RefusedError):
    """The prompt and its answer do not fit into the model's context."""


class Endpoint:
    """One model of a server; an asynchronous context manager, to be used in one event loop."""

    def __init__(
        self,
        api_base: str,
        model: str,
        patience: Patience,
        pace: Pace | None = None,
        budget: Budget | None = None,
        *,
        max_reply: int = MAX_REPLY,  # bytes
    ) -> None:
        self.api_base = api_base
        self.model = model
        self.patience = patience
        self.pace = pace or Pace()
        self.budget = budget or Budget()
        self._key = read_key()
        parts = urlsplit(api_base)
        # Without proxies on this machine: one that the environment names cannot reach it.
        direct = {"trust_env": False, "verify": parts.scheme == "https"} if parts.hostname in LOOPBACK else {}
        check_reply = limit_replies(api_base, max_reply)
        self._client = openai.AsyncOpenAI(
            base_url=api_base,
            api_key=self._key or "none",  # the client requires one, even if the server does not
            max_retries=0,  # `Patience` retries
            timeout=openai.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT),
            http_client=openai.DefaultAsyncHttpxClient(
                max_redirects=MAX_REDIRECTS,
                headers={"Accept-Encoding": ENCODINGS},
                event_hooks={"response": [check_reply, check_redirect]},
                **direct,
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

        Its tokens include those of empty replies before it. Raises TooLongError, RefusedError, PermissionError for a
        missing or wrong key, BudgetError, and the errors of `Patience.persist`.
        """
        tokens = expected_tokens(body)
        tickets = [await self.pace.admit(tokens)]  # outside of the patience: the server is not the one who waits
        empty: list[Reply] = []

        async def attempt(tries: int) -> Reply:
            self.budget.check()
            ticket = tickets.pop() if tickets else await self.pace.admit(tokens)
            try:
                return await self._attempt(body, tries, ticket)
            except EmptyReplyError as error:
                empty.append(error.reply)
                raise

        try:
            reply = await self.patience.persist(attempt)
        finally:
            for ticket in tickets:
                self.pace.end(ticket, 0)
        return reply.after(empty)

    async def _attempt(self, body: Mapping[str, Any], tries: int, ticket: Ticket) -> Reply:
        """Return the answer to one attempt; its tokens are counted, also if it is empty."""
        create = self._client.chat.completions.with_raw_response.create
        fields = {name: value for name, value in body.items() if name != "messages"}
        paid: Reply | None = None
        try:
            sent = create(model=self.model, messages=body["messages"], extra_body=fields)
            paid = read_completion(await self._ask(lambda: sent, texts_of(body)), tries)
            return paid
        except EmptyReplyError as error:
            paid = error.reply
            raise
        except TransientError as error:
            if error.busy:
                self.pace.slow_down(ticket)
            raise
        finally:
            self.pace.end(ticket, paid.prompt_tokens + paid.answer_tokens if paid else 0)
            if paid:
                self.budget.pay(paid)

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
            response = await asyncio.wait_for(send(), ANSWER_TIMEOUT)
            self.pace.heed(response.headers)
            return bytes(response.content)
        except (openai.APITimeoutError, asyncio.TimeoutError):
            raise TransientError("time-out") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, (RedirectedError, ReplyTooLargeError)):
                raise error.__cause__ from None
            if type(error.__cause__).__name__ == "TooManyRedirects":
                raise RedirectedError(f"{self.api_base} redirects in a circle: check the address") from None
            raise TransientError("connection lost") from None
        except openai.APIStatusError as error:
            raise self._failure(error, texts) from None

    def _failure(self, error: openai.APIStatusError, texts: Sequence[str]) -> Exception:
        status = error.status_code
        self.pace.heed(error.response.headers)
        is_transient = status in TRANSIENT_STATUSES or status >= 500
        if is_transient and not OUT_OF_MONEY.search(f"{error.code} {_message_of(error)}"):
            return TransientError(f"HTTP {status}", retry_after=retry_after(error.response.headers), busy=status == 429)
        if status in (401, 403):
            return PermissionError(f"{self.api_base}: HTTP {status}: set OPENAI_API_KEY to a valid key")
        message = _message_of(error)
        for echo in (form for text in texts if text for form in (text, repr(text)[1:-1])):
            message = message.replace(echo, "…")
        if TOO_LONG.search(f"{error.code} {error.type} {message}"):
            return TooLongError("the prompt does not fit into the model's context")
        hint = " (--api_base usually ends in /v1)" if status == 404 else ""
        shown = f"{self.api_base} refused the request: HTTP {status}: {self._shown(message, texts)}{hint}"
        return RefusedError(shown, Refusal(message, error.param if isinstance(error.param, str) else None))

    def _shown(self, message: str, texts: Sequence[str]) -> str:
        """Return a server's error message, shortened, and without the messages or the key that it may repeat."""
        safe = message
        for start in (text[:20] for text in texts if text):
            safe = safe.partition(start)[0] + "…" if start in safe else safe
        return (safe.replace(self._key, "…") if self._key else safe)[:200]


def texts_of(body: Mapping[str, Any]) -> list[str]:
    """Return the texts of a body's messages."""
    return [str(message["content"]) for message in body["messages"]]


def expected_tokens(body: Mapping[str, Any]) -> float:
    """Return the tokens that a service counts for a request: of its prompt, and the most that its answer may have."""
    limit = next((body[name] for name in LIMIT_FIELDS if name in body), 0)
    return sum(len(text.encode()) for text in texts_of(body)) / BYTES_PER_TOKEN + limit


def _message_of(error: openai.APIStatusError) -> str:
    body = error.body
    return str((body.get("message") if isinstance(body, dict) else body) or error.message)
