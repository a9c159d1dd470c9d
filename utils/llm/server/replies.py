"""The bodies of a server's replies, read without trust in their shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from utils.llm.base import Finish
from utils.llm.messages import estimate_thought_tokens, has_thoughts, read_text
from utils.llm.server.retrying import TransientError
from utils.parsing.thinking import split_thoughts

EMPTY_RETRIES = 2  # an answer that is still empty after these is taken as the model's answer
MAX_TOKENS = 10**12  # a larger count of tokens is an error of the server


class EmptyReplyError(TransientError):
    """A reply without an answer, which was paid for and may be better the next time."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("empty reply")
        self.reply = reply


@dataclass(frozen=True)
class Reply:
    """A server's answer to one request, and the number of failed attempts before it."""

    text: str
    finish: Finish
    prompt_tokens: int
    answer_tokens: int
    retries: int
    cached_tokens: int = 0  # of the prompt's tokens
    thought_tokens: int = 0  # of the answer's tokens
    thinks: bool = False  # the reply has thoughts, shown or only counted

    def after(self, earlier: Sequence[Reply]) -> Reply:
        """Return the reply with the tokens of earlier replies to the same request added to its own."""
        names = ("prompt_tokens", "answer_tokens", "cached_tokens", "thought_tokens")
        return replace(self, **{name: sum(getattr(one, name) for one in (self, *earlier)) for name in names})


def read_completion(body: bytes, tries: int) -> Reply:
    """Return the answer in a reply, without the model's thoughts, which have a field of their own.

    Raises TransientError for a reply without a message, and EmptyReplyError for an empty answer that was not retried
    often enough.
    """
    reply = _decoded(body)
    choices = reply.get("choices") if isinstance(reply, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise TransientError("broken reply")
    text = read_text(message.get("content")).strip()
    counts = _object(reply.get("usage"))
    counted_thoughts = _tokens(_object(counts.get("completion_tokens_details")).get("reasoning_tokens"))
    thinks = counted_thoughts > 0 or has_thoughts(message)
    is_cut = choice.get("finish_reason") == "length" or (thinks and not text)  # all thought: the answer did not begin
    finish: Finish = "length" if is_cut else "stop"
    answer_tokens = _answer_tokens(counts, counted_thoughts)
    result = Reply(
        text,
        finish,
        _tokens(counts.get("prompt_tokens")),
        answer_tokens,
        tries,
        _cached_tokens(counts),
        counted_thoughts or estimate_thought_tokens(message, text, answer_tokens),
        thinks=thinks or bool(split_thoughts(text)[1].strip()) or (not text and is_cut),
    )
    if not text and finish == "stop" and tries < EMPTY_RETRIES:
        raise EmptyReplyError(result)
    return result


def read_model_names(body: bytes) -> list[str]:
    """Return the names of a server's models; [] for a reply in another form than OpenAI's or Ollama's.

    Raises ValueError if the reply is a web page: then the address is wrong.
    """
    if body.lstrip()[:1] == b"<":
        raise ValueError("answers with a web page, not with JSON: check the address (it usually ends in /v1)")
    reply = _decoded(body)
    if isinstance(reply, dict):
        reply = reply.get("data") or reply.get("models")
    names = [_name_of(model) for model in reply] if isinstance(reply, list) else []
    return [name for name in names if name]


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # cut off, not JSON, or thousands of open brackets
        raise TransientError("broken reply") from None


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object, an empty one for any other value."""
    return value if isinstance(value, dict) else {}


def _answer_tokens(counts: dict[str, Any], thought_tokens: int) -> int:
    """Return the tokens of an answer and its thoughts; some services (xAI, Gemini) count them apart."""
    prompt, answer, total = (_tokens(counts.get(f"{kind}_tokens")) for kind in ("prompt", "completion", "total"))
    return answer + thought_tokens if prompt + answer + thought_tokens == total else answer


def _cached_tokens(counts: dict[str, Any]) -> int:
    """Return the tokens of a prompt that were in the server's cache: in OpenAI's field, DeepSeek's, or Moonshot's."""
    details = _object(counts.get("prompt_tokens_details"))
    found = (details.get("cached_tokens"), counts.get("prompt_cache_hit_tokens"), counts.get("cached_tokens"))
    return max(map(_tokens, found))


def _tokens(value: Any) -> int:
    """Return a count of tokens, 0 for one that is missing or cannot be right."""
    is_count = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS
    return int(value) if is_count and value == int(value) else 0


def _name_of(model: Any) -> str:
    if not isinstance(model, dict):
        return model if isinstance(model, str) else ""
    name = model.get("id") or model.get("name")
    return name if isinstance(name, str) else ""
