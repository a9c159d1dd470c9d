"""Answers of the length that answers usually have: what a plan counts where no real ones are known yet.

The numbers are those of real answers (benchmarks/README.md): how many tokens of a sentence one item takes up, and how
many of them it names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from utils.dataset.modes import Mode

# Tokens of the sentence for one item, by density: in dense text these are characters.
SPACING: dict[Mode, dict[bool, float]] = {"entity": {False: 4.0, True: 8.0}, "pos": {False: 1.0, True: 2.6}}
LENGTH: dict[Mode, dict[bool, int]] = {"entity": {False: 2, True: 4}, "pos": {False: 1, True: 3}}
CONTINUATION = 1.05  # characters of an explanation for one of its sentence, besides a fixed part
FIXED_CONTINUATION = {False: 260, True: 60}  # characters, by density


def typical_annotation(mode: Mode, tokens: Sequence[str], label: str, keys: tuple[str, str], *, dense: bool) -> str:
    """Return an annotation of a sentence that is about as long as real ones are; its items mean nothing."""
    number = max(1, round(len(tokens) / SPACING[mode][dense]))
    length = LENGTH[mode][dense]
    joined = ("" if dense else " ").join
    starts = [place * len(tokens) // number for place in range(number)]
    items = [{keys[0]: joined(tokens[start : start + length]), keys[1]: label} for start in starts]
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def typical_continuation(text: str, *, dense: bool) -> str:
    """Return a text that is about as long as the continuation of `text` is, of the same words."""
    length = round(FIXED_CONTINUATION[dense] + CONTINUATION * len(text))
    return (text * (length // max(1, len(text)) + 1))[:length]
