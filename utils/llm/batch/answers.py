"""The answers in the results of a batch, read as the replies to single requests are."""

from __future__ import annotations

import json
import re

from utils.llm.base import Answer, Request
from utils.llm.batch.lines import BatchResult
from utils.llm.server.replies import EMPTY_RETRIES, read_completion
from utils.llm.server.retrying import TransientError

LATEST = re.compile(r"[-:@]latest$")
# What a service adds to a model's name: a date or a version of at least three digits, or a kind of access.
ADDED = re.compile(r"(?:[-:@_.](?:\d{3}[\d-]*|v\d+|free|batch|preview))*")


class UnusableError(Exception):
    """Why a result is not an answer to its request."""


def read_answer(request: Request, result: BatchResult, model: str) -> Answer:
    """Return the answer to a request of `model`; raise UnusableError if the result is none.

    A prompt that does not fit into the model's context has an empty answer, as with single requests.
    """
    if result.is_too_long:
        return Answer(request, "", "length", 0, 0)
    if result.completion is None:
        raise UnusableError(result.error)
    if result.model and not is_same_model(model, result.model):
        raise UnusableError(f"it is of the model {result.model!r}, not of {model!r}")
    try:
        reply = read_completion(json.dumps(result.completion).encode(), EMPTY_RETRIES)
    except TransientError as error:
        raise UnusableError(str(error)) from None
    counts = reply.prompt_tokens, reply.answer_tokens
    return Answer(
        request,
        reply.text,
        reply.finish,
        *counts,
        cached_tokens=reply.cached_tokens,
        thought_tokens=reply.thought_tokens,
    )


def is_same_model(asked: str, answered: str) -> bool:
    """Return whether a service's name for a model means the model that was asked: it may add a date or a folder.

    >>> is_same_model("gpt-4o", "gpt-4o-2024-11-20"), is_same_model("gpt-4o", "gpt-4o-mini")
    (True, False)
    """
    names = (name.casefold().rstrip("/").rpartition("/")[2] for name in (asked, answered))
    shorter, longer = sorted((LATEST.sub("", name) for name in names), key=len)
    return longer.startswith(shorter) and ADDED.fullmatch(longer, len(shorter)) is not None
