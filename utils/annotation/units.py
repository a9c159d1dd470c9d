"""The units of a sentence: the smallest parts that an entity or a word can consist of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER, Tokenisation

# A character that is a unit itself: kana, ideographs and, in text that is split into characters, hangul.
_CHARACTER = rf"(?:{DENSE_CHARACTER.pattern}|[\uac00-\ud7a3])"
_COMBINING = "[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]"  # belongs to the character before it
_UNIT = re.compile(
    rf"""(?P<address>https?://[!-~]+)
    | (?P<emoticon>\[[^\[\]\s]{{1,8}}\])
    | (?P<character>{_CHARACTER}{_COMBINING}*)
    | (?P<word>(?:(?!{_CHARACTER})\w{_COMBINING}*)+(?:[-.'’·@&](?:(?!{_CHARACTER})\w)+)*)
    | (?P<symbol>([^\w\s])\6*{_COMBINING}*)""",
    re.VERBOSE,
)

UnitKind = Literal["character", "word", "symbol"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a sentence that is never split; `gap` is the whitespace before it."""

    text: str
    kind: UnitKind
    gap: str = ""


def units_of(tokens: Sequence[str], *, tokenisation: Tokenisation) -> list[Unit]:
    """Return the units of a sentence, without whitespace.

    In word-based text, each token is a unit. In dense text, the units are ideographs, kana and hangul; words, numbers
    and web addresses in other scripts; emoticons such as [哈哈]; and repeated symbols, such as punctuation marks.
    """
    if not tokenisation.is_dense:
        words = [token for token in tokens if token.strip()]
        return [
            Unit(word, "word" if any(map(str.isalnum, word)) else "symbol", " " if index else "")
            for index, word in enumerate(words)
        ]
    text = "".join(tokens)
    units = []
    end = 0
    for match in _UNIT.finditer(text):
        units.append(Unit(match[0], _kind(match), text[end : match.start()]))
        end = match.end()
    return units


def _kind(match: re.Match[str]) -> UnitKind:
    if match["character"]:
        return "character"
    return "word" if match["word"] or match["address"] else "symbol"
