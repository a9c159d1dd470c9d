"""The script of a letter, and whether Chinese characters are simplified or traditional."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Literal

Hanzi = Literal["simplified", "traditional"]


@lru_cache(maxsize=100_000)
def script_of(character: str) -> str | None:
    """Return the script of a letter from its Unicode name ("LATIN", "CJK", "HANGUL", …), or None if it is no letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "UNKNOWN").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    script = re.split(r"[ -]", name, maxsplit=1)[0]
    if script in ("MODIFIER", "FEMININE", "MASCULINE", "SCRIPT", "MATHEMATICAL", "DOUBLE", "MICRO"):
        return None  # letters that are used as symbols in every script
    return {"HIRAGANA": "KANA", "KATAKANA": "KANA", "IDEOGRAPHIC": "CJK"}.get(script, script)


def hanzi_of(text: str) -> Hanzi | None:
    """Return whether the Chinese characters of a text are simplified or traditional, or None if both are possible.

    A character of Big5 that is not in GB 2312 is traditional (or rare). The reverse is simplified.
    """
    kinds = Counter(kind_of_hanzi(character) for character in text)
    simplified, traditional = kinds["simplified"], kinds["traditional"]
    if max(simplified, traditional) < 2 or simplified == traditional:
        return None
    return "traditional" if traditional > simplified else "simplified"


@lru_cache(maxsize=100_000)
def kind_of_hanzi(character: str) -> Hanzi | None:
    """Return the only kind of Chinese characters that has a character; None if both have it, or neither."""
    if not "\u4e00" <= character <= "\u9fff":
        return None
    in_gb, in_big5 = _encodes(character, "gb2312"), _encodes(character, "big5")
    if in_gb == in_big5:
        return None
    return "simplified" if in_gb else "traditional"


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
