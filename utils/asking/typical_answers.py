"""Answers of typical length: estimates count their tokens as long as there are few recorded answers.

The numbers were measured on real answers (benchmarks/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from utils.dataset.modes import Mode
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation

TOKENS_PER_ITEM: dict[Mode, dict[Tokenisation, float]] = {
    "entity": {WORDS: 4.0, CHARACTERS: 8.0},
    "pos": {WORDS: 1.0, CHARACTERS: 2.6},
    "target": {WORDS: 7.0, CHARACTERS: 20.0},  # of gold spans: 7 to 40, depending on the dataset
}
# In tokens.
ITEM_LENGTH: dict[Mode, dict[Tokenisation, int]] = {
    "entity": {WORDS: 2, CHARACTERS: 4},
    "pos": {WORDS: 1, CHARACTERS: 3},
    "target": {WORDS: 2, CHARACTERS: 4},
}
# A continuation has a fixed number of characters, and more for each character of its sentence.
CONTINUATION_CHARACTERS = {WORDS: 260, CHARACTERS: 60}
CONTINUATION_RATIO = 1.05


def typical_annotation(
    mode: Mode, tokens: Sequence[str], label: str, keys: tuple[str, str], *, tokenisation: Tokenisation
) -> str:
    """Return an annotation of about the usual length for a sentence; only its length is meaningful."""
    number = max(1, round(len(tokens) / TOKENS_PER_ITEM[mode][tokenisation]))
    length = ITEM_LENGTH[mode][tokenisation]
    starts = [index * len(tokens) // number for index in range(number)]
    items = [{keys[0]: tokenisation.join(tokens[start : start + length]), keys[1]: label} for start in starts]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def typical_continuation(text: str, *, tokenisation: Tokenisation) -> str:
    """Return a text of about the usual length of a continuation of `text`, made of the same words."""
    length = round(CONTINUATION_CHARACTERS[tokenisation] + CONTINUATION_RATIO * len(text))
    return (text * (length // max(1, len(text)) + 1))[:length]
