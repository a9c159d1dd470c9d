"""The batch service of a server: files are uploaded, run as batches, and their results downloaded."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from utils.llm.base import LLMOptions
from utils.llm.server.background import run_in_background
from utils.llm.server.endpoint import Endpoint, RefusedError
from utils.llm.server.limits.size import MAX_DOWNLOAD, MAX_REPLY
from utils.llm.server.retrying import Patience, TransientError

T = TypeVar("T")
SHOWN = 200  # characters of a service's reason in a message
WINDOW = "24h"  # the only completion window of OpenAI; others accept it
ENDED = {"completed", "failed", "expired", "cancelled", "canceled"}
LISTED = 100  # batches that are looked through for one that was created already


@dataclass(frozen=True)
class BatchStatus:
    """The state of a batch at the service."""

    name: str  # such as in_progress
    done: int = 0  # requests
    output_file: str | None = None
    error_file: str | None = None
    reason: str = ""  # of a failed batch

    @property
    def is_ended(self) -> bool:
        return self.name in ENDED

    @property
    def is_cancelled(self) -> bool:
        return self.name in ("cancelled", "canceled")

    @property
    def is_failed(self) -> bool:
        """Whether no request was run."""
        return self.name == "failed"


class BatchService:
    """The batch service of the server at `options.api_base`; every call waits as long as `options.patience` says."""

    def __init__(self, model: str, options: LLMOptions) -> None:
        self.model = model
        self.options = options
        self.api_base = str(options.api_base)

    def upload(self, path: Path) -> str:
        """Upload a file of requests, and return its id."""
        content: Any = (path.name, path.read_bytes(), "application/jsonl")

        def send(client: Any) -> Any:
            return client.files.with_raw_response.create(file=content, purpose="batch")

        try:
            return _id(self._call(send, _read))
        except RefusedError as error:
            raise RuntimeError(
                f"{self.api_base} has no batch service that takes files ({error}): run the command without --submit, "
                "and send them where there is one"
            ) from None

    def start(self, file_id: str, url: str) -> str:
        """Return the id of the batch for an uploaded file, which is created unless it exists."""

        async def find_or_create(client: Any) -> Any:
            batches = client.batches.with_raw_response
            listed = await batches.list(limit=LISTED)  # again before each attempt: the last one may have succeeded
            if _find_batch(_read(bytes(listed.content)), file_id):
                return listed
            return await batches.create(input_file_id=file_id, endpoint=url, completion_window=WINDOW)

        reply = self._call(find_or_create, _read)
        return _id(_find_batch(reply, file_id) or reply)

    def status(self, batch_id: str) -> BatchStatus:
        """Return the state of a batch."""
        reply = self._call(lambda client: client.batches.with_raw_response.retrieve(batch_id), _read)
        return read_status(reply)

    def download(self, file_id: str) -> bytes:
        """Return the content of a file."""
        return self._call(lambda client: client.files.with_raw_response.content(file_id), bytes, MAX_DOWNLOAD)

    def _call(self, send: Callable[[Any], Awaitable[Any]], read: Callable[[bytes], T], max_reply: int = MAX_REPLY) -> T:
        return run_in_background(self._ask(send, read, max_reply))

    async def _ask(self, send: Callable[[Any], Awaitable[Any]], read: Callable[[bytes], T], max_reply: int) -> T:
        patience = Patience(self.api_base, self.options.patience)
        async with Endpoint(self.api_base, self.model, patience, max_reply=max_reply) as endpoint:
            return await endpoint.call(send, read)


def read_status(reply: Mapping[str, Any]) -> BatchStatus:
    """Return the state in a reply, with the names of OpenAI; Together writes them in capitals."""
    counts = reply.get("request_counts")
    counts = counts if isinstance(counts, Mapping) else {}
    done = sum(value for name in ("completed", "failed") if isinstance(value := counts.get(name), int))
    files = [reply.get(name) for name in ("output_file_id", "error_file_id")]
    output_file, error_file = (file if isinstance(file, str) and file else None for file in files)
    return BatchStatus(str(reply.get("status", "")).casefold(), done, output_file, error_file, _reason(reply))


def _reason(reply: Mapping[str, Any]) -> str:
    errors = reply.get("errors")
    listed = errors.get("data") if isinstance(errors, Mapping) else errors
    first = listed[0] if isinstance(listed, list) and listed else listed
    message = first.get("message") or first.get("code") if isinstance(first, Mapping) else first
    return str(message or "no reason is given")[:SHOWN]


def _find_batch(listed: Mapping[str, Any], file_id: str) -> Mapping[str, Any] | None:
    """Return the batch of an uploaded file that has not failed."""
    batches = listed.get("data")
    for batch in batches if isinstance(batches, list) else []:
        if isinstance(batch, Mapping) and batch.get("input_file_id") == file_id and not read_status(batch).is_failed:
            return batch
    return None


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        reply = None
    if not isinstance(reply, Mapping):
        raise TransientError("broken reply")
    return reply.get("job", reply) if isinstance(reply.get("job", reply), Mapping) else reply  # Together wraps it


def _id(reply: Mapping[str, Any]) -> str:
    if not isinstance(found := reply.get("id"), str) or not found:
        raise RuntimeError("the batch service sent a reply without an id")
    return found
