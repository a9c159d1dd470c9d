"""Answers of typical length: estimates count their tokens as long as there are few recorded answers.

The numbers were measured on real answers (benchmarks/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from utils.dataset.modes import Mode

# By mode and by `dense`; a token of dense text is a character.
TOKENS_PER_ITEM: dict[Mode, dict[bool, float]] = {"entity": {False: 4.0, True: 8.0}, "pos": {False: 1.0, True: 2.6}}
ITEM_LENGTH: dict[Mode, dict[bool, int]] = {"entity": {False: 2, True: 4}, "pos": {False: 1, True: 3}}  # tokens
# A continuation has a fixed number of characters (by `dense`), and more for each character of its sentence.
CONTINUATION_CHARACTERS = {False: 260, True: 60}
CONTINUATION_RATIO = 1.05


def typical_annotation(mode: Mode, tokens: Sequence[str], label: str, keys: tuple[str, str], *, dense: bool) -> str:
    """Return an annotation of about the usual length for a sentence; only its length is meaningful."""
    number = max(1, round(len(tokens) / TOKENS_PER_ITEM[mode][dense]))
    length = ITEM_LENGTH[mode][dense]
    joined = ("" if dense else " ").join
    starts = [index * len(tokens) // number for index in range(number)]
    items = [{keys[0]: joined(tokens[start : start + length]), keys[1]: label} for start in starts]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def typical_continuation(text: str, *, dense: bool) -> str:
    """Return a text of about the usual length of a continuation of `text`, made of the same words."""
    length = round(CONTINUATION_CHARACTERS[dense] + CONTINUATION_RATIO * len(text))
    return (text * (length // max(1, len(text)) + 1))[:length]
