"""The parts of prompts: a chat template's text around the message, and the tokens that all prompts begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

THINKING_START, THINKING_END = "<think>", "</think>"
MESSAGE = "\ue000message\ue000"  # placeholder for the user's message: private characters that no template has


def template_parts(fill_template: Callable[[str], str]) -> tuple[str, str]:
    """Return the text before and after the user's message, for a function that puts a message into a template.

    >>> template_parts(lambda message: f"<|user|>{message}<|assistant|>")
    ('<|user|>', '<|assistant|>')
    """
    parts = fill_template(MESSAGE).split(MESSAGE)
    if len(parts) != 2:
        raise ValueError(f"the chat template contains the message of the user {len(parts) - 1} times, not once")
    return parts[0], parts[1]


def begins_thought(after: str) -> bool:
    """Return whether a template's text after the message opens a thought, which the answer then continues."""
    return after.rstrip().endswith(THINKING_START)


def after_thought(answer: str) -> str:
    """Return an answer without the thought that its prompt began, or "" if the answer is cut off inside the thought.

    An answer that is held to a grammar has no thought: it is a JSON value from its first character.

    >>> after_thought("Rome is a city.</think>\\n[]")
    '[]'
    """
    if answer.startswith(("[", "{")):
        return answer
    _, end, rest = answer.rpartition(THINKING_END)
    return rest.strip() if end else ""


def common_prefix(prompts: Sequence[list[int]]) -> list[int]:
    """Return the longest list of token ids that all prompts begin with.

    >>> common_prefix([[5, 6, 7], [5, 6, 9, 1], [5, 6, 7, 8]])
    [5, 6]
    """
    if not prompts:
        return []
    first, last = min(prompts), max(prompts)  # in lexicographic order, all others share what these two share
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return [token for token, _ in same]
