"""The parts of prompts: a chat template's text around the message, and the tokens that all prompts begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

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
