"""The lines of batch files in OpenAI's format: requests, and the results of several services.

OpenAI, Groq, Mistral, DashScope and vLLM's run-batch write {"custom_id", "response": {"status_code", "body"}, "error"}.
Together leaves out "error" in good lines and "response" in others; Fireworks writes the completion as "response".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from utils.llm.server.refusals import TOO_LONG, TRANSIENT_STATUSES

MAX_LINES = 50_000  # in one file: the limit of OpenAI, Together, Zhipu and others
MAX_BYTES = 100_000_000  # of one file: the limit of Together and Zhipu; OpenAI's is twice that
MAX_LINE_BYTES = 16_000_000  # of one result; an answer of 100,000 tokens has 2 to 3 MB
MAX_ID = 64  # characters of a custom_id: the limit of Together
ROUTE = "chat/completions"
# Codes of errors after which the same request may succeed; TRANSIENT_STATUSES are their numbers.
TRANSIENT_CODES = re.compile(
    r"expired|cancel|rate.?limit|time.?out|overload|unavailable|server.?error|internal|insufficient|quota",
    re.IGNORECASE,
)
SHOWN = 200  # characters of an error in a message


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one request in a batch: a chat completion, or an error."""

    custom_id: str
    completion: Mapping[str, Any] | None = None
    error: str = ""
    is_transient: bool = False  # the same request may succeed the next time
    is_too_long: bool = False  # the prompt does not fit into the model's context

    @property
    def model(self) -> str:
        """The model that the completion names; "" if it names none."""
        name = self.completion.get("model") if self.completion else None
        return name if isinstance(name, str) else ""


def request_line(custom_id: str, api_base: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the line of a request; the URL has the version of the service's own address.

    >>> request_line("a-1", "https://open.bigmodel.cn/api/paas/v4", {})["url"]
    '/v4/chat/completions'
    """
    return {"custom_id": custom_id, "method": "POST", "url": batch_url(api_base), "body": body}


def batch_url(api_base: str | None) -> str:
    """Return the URL of requests in batch files, which has no host."""
    last = urlsplit(api_base or "").path.rstrip("/").rpartition("/")[2]
    return f"/{last if re.fullmatch(r'v[1-9]', last) else 'v1'}/{ROUTE}"


def is_request(row: Mapping[str, Any]) -> bool:
    """Return whether a line is a request, and not a result."""
    return "url" in row and "body" in row and not {"response", "error", "result"} & row.keys()


def read_result(row: Mapping[str, Any]) -> BatchResult | None:
    """Return the result in a line; None if it has no custom_id, and so cannot belong to a request."""
    custom_id = row.get("custom_id")
    if not isinstance(custom_id, str) or is_request(row):
        return None
    response = _object(row.get("response"))
    status = response.get("status_code", response.get("status"))
    if not _is_error(status) and (completion := _completion(row)):
        return BatchResult(custom_id, completion)
    message, codes = _describe_error(row, status)
    is_known = isinstance(status, int) and status != 200
    is_transient = _is_transient(status) if is_known else bool(TRANSIENT_CODES.search(codes))
    return BatchResult(custom_id, None, message[:SHOWN], is_transient, bool(TOO_LONG.search(f"{codes} {message}")))


def _completion(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the chat completion in a line, wherever it is."""
    response = _object(row.get("response"))
    places = (response.get("body"), row.get("response"), row.get("result"), row.get("body"), row)
    return next((found for place in places if isinstance((found := _object(place)).get("choices"), list)), None)


def _describe_error(row: Mapping[str, Any], status: object) -> tuple[str, str]:
    """Return the message of an error, and its codes."""
    response = _object(row.get("response"))
    body = _object(response.get("body"))
    errors = [found for found in (row.get("error"), body.get("error"), response.get("error"), body or None) if found]
    messages = [text for error in errors for text in _texts(error, ("message", "detail", "msg"))]
    codes = [text for error in errors for text in _texts(error, ("code", "type"))]
    known = [*messages, *codes, *([f"HTTP {status}"] if isinstance(status, int) else []), "no answer"]
    return known[0], " ".join(codes)


def _texts(error: object, keys: tuple[str, ...]) -> Iterator[str]:
    if isinstance(error, Mapping):
        yield from (str(error[key]) for key in keys if isinstance(error.get(key), (str, int)) and error[key])
    elif isinstance(error, str):
        yield error


def _object(value: object) -> Mapping[str, Any]:
    """Return a JSON object, also from a text that contains one; an empty one for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _is_error(status: object) -> bool:
    return isinstance(status, int) and not 200 <= status < 300


def _is_transient(status: object) -> bool:
    return isinstance(status, int) and (status in TRANSIENT_STATUSES or status >= 500)
