"""The bodies of requests in batch files: those of single requests to the same server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from utils.llm.base import LLMOptions, Request
from utils.llm.server.dialect import Dialect


def request_bodies(model: str, options: LLMOptions, requests: Sequence[Request]) -> Callable[[Request], dict[str, Any]]:
    """Return a function that gives the body of each of these requests, in the dialect of their server.

    Without a server, the bodies have OpenAI's own fields alone.
    """
    dialect = _find_dialect(model, options, requests) if options.api_base else Dialect()
    return lambda request: {"model": model, **dialect.body(request)}


def _find_dialect(model: str, options: LLMOptions, requests: Sequence[Request]) -> Dialect:
    from utils.llm.server.probing import rehearsed_dialect  # needs OpenAI's client

    return rehearsed_dialect(model, options, requests)
