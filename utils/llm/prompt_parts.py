"""The tokens that all prompts begin with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile


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
