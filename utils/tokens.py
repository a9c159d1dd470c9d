"""Text as tokens and back: a character each in dense languages, a word each in others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Scripts that are written without blanks: kana, CJK ideographs and their extensions.
DENSE_CHARACTER = re.compile("[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_RUN_OR_CHARACTER = re.compile(rf"{DENSE_CHARACTER.pattern}|\w+|[^\w\s]")
DENSE_SHARE = 0.95


def split_text(text: str, *, dense: bool) -> list[str]:
    """Return the tokens of a plain string: its characters, blanks too (so offsets hold), or what blanks part."""
    return list(text) if dense else text.split()


def join_tokens(tokens: Sequence[str], *, dense: bool) -> str:
    """Return the text that a reader, or an LLM, is shown."""
    return ("" if dense else " ").join(tokens)


def looks_dense(texts: Iterable[str | Sequence[str]]) -> bool:
    """Tell whether at least 95 % of the tokens of `texts` are one character.

    A plain string is counted as if each ideograph, kana and punctuation mark, and each other run of letters or
    digits, were one token.
    """
    tokens = ones = 0
    for text in texts:
        units = _RUN_OR_CHARACTER.findall(text) if isinstance(text, str) else text
        tokens += len(units)
        ones += sum(len(unit) == 1 for unit in units)
    return tokens > 0 and ones >= DENSE_SHARE * tokens


def looks_chinese(texts: Iterable[str]) -> bool:
    """Tell whether ideographs make up most of the letters of `texts`, and no kana stands among them."""
    text = "".join(texts)
    letters = sum(character.isalpha() for character in text)
    kana = len(re.findall("[\u3041-\u3096\u30a1-\u30fa]", text))
    return kana == 0 and len(DENSE_CHARACTER.findall(text)) > 0.5 * letters
