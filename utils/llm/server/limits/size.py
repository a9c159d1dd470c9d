"""The largest reply that is read: no body can fill the memory, also not a small one that unpacks to a large one."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any

import openai

MEBIBYTE = 2**20
MAX_REPLY = 16 * MEBIBYTE  # bytes; an answer of 100,000 tokens, each character escaped, has 2 to 3 MiB
MAX_DOWNLOAD = 1024 * MEBIBYTE  # bytes; the results of a batch file of 50,000 requests
ENCODINGS = "gzip"  # the only packing that is asked for, because it is unpacked here piece by piece
HTTP_CLIENT: Any = openai.DefaultAsyncHttpxClient.__base__  # of httpx; in newer versions of OpenAI's client, of httpx2
BYTE_STREAM: Any = import_module(HTTP_CLIENT.__module__.partition(".")[0]).AsyncByteStream


class ReplyTooLargeError(RuntimeError):
    """A server's reply is larger than any that could be right, or packed in a way that was not asked for."""


def limit_replies(server: str, limit: int) -> Callable[[Any], Awaitable[None]]:
    """Return a hook for the responses of httpx: reading more than `limit` bytes of a body raises ReplyTooLargeError."""

    async def set_limit(response: Any) -> None:
        packing = response.headers.pop("content-encoding", "identity").strip().lower()
        if packing not in ("gzip", "identity", ""):
            raise ReplyTooLargeError(f"{server} sent a reply packed as {packing[:40]!r}, which was not asked for")
        message = f"{server} sent a reply of more than {limit // MEBIBYTE} MiB, which is no answer: check the server"
        response.stream = _LimitedStream(response.stream, limit, is_gzip=packing == "gzip", message=message)

    return set_limit


class _LimitedStream(BYTE_STREAM):
    """The body of a response, unpacked, up to a number of bytes."""

    def __init__(self, stream: Any, limit: int, *, is_gzip: bool, message: str) -> None:
        self.stream = stream
        self.limit = limit
        self.unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_gzip else None  # 16: with the header of gzip
        self.message = message

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self.limit
        async for chunk in self.stream:
            part = self.unpacker.decompress(chunk, left + 1) if self.unpacker else chunk
            left -= len(part)
            if left < 0:
                raise ReplyTooLargeError(self.message)
            yield part

    async def aclose(self) -> None:
        await self.stream.aclose()
