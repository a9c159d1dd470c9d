"""The message in a server's reply: its text, and the thoughts that servers put into fields and parts of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from utils.llm.server.retrying import TransientError

# Fields of a message: DeepSeek, GLM, Qwen and Kimi; vLLM, Ollama and OpenRouter; OpenRouter; LiteLLM; others.
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "thinking", "thoughts")
THOUGHT_PARTS = ("thinking", "redacted_thinking", "reasoning", "reasoning_text", "thought")  # types of parts
MAX_DEPTH = 8  # of lists and objects; Mistral has 3
TEXT_KEYS = ("text", "thinking", "reasoning", "summary", "content")  # in which parts have their text


def read_text(content: Any) -> str:
    """Return the text of a message: a string, null, or a list of parts (`[{"type": "text", "text": "…"}]`).

    Parts that are thoughts are left out.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        # Half of a surrogate pair, which JSON can hold, is not text and could not be saved.
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content if not _is_thought(part)]
        if all(isinstance(text, str) for text in texts):
            return "".join(map(read_text, texts))
    raise TransientError("broken reply")


def has_thoughts(message: dict[str, Any]) -> bool:
    """Return whether a message has thoughts in their own fields or parts, readable or not."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return any(message.get(field) for field in THOUGHT_FIELDS) or any(map(_is_thought, parts))


def estimate_thought_tokens(message: dict[str, Any], text: str, answer_tokens: int) -> int:
    """Return the tokens of the thoughts in a message by their share of its characters; at least 1 if there are any.

    For servers that do not count them. A thought may be in several fields at once.
    """
    if not has_thoughts(message):
        return 0
    content = message.get("content")
    parts = [part for part in content if _is_thought(part)] if isinstance(content, list) else []
    length = max(sum(map(len, _texts(value))) for value in (parts, *map(message.get, THOUGHT_FIELDS)))
    return max(1, round(answer_tokens * length / max(1, length + len(text))))


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and (part.get("thought") is True or str(part.get("type")) in THOUGHT_PARTS)


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a value, without those that are encrypted or nested too deeply."""
    if isinstance(value, str):
        yield value
    elif depth < MAX_DEPTH and isinstance(value, (list, dict)):
        for part in value if isinstance(value, list) else map(value.get, TEXT_KEYS):
            yield from _texts(part, depth + 1)
