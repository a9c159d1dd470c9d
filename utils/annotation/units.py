"""The smallest parts of a sentence that an annotation may hold: what is never cut, and what can stand at an edge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER, Tokenisation

# A character that words are cut between: kana, ideographs and, in text that is split into characters, hangul.
_CUT = rf"(?:{DENSE_CHARACTER.pattern}|[\uac00-\ud7a3])"
_JOINED = "[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]"  # what belongs to the character before it
_PATTERN = re.compile(
    rf"""(?P<address>https?://[!-~]+)
    | (?P<face>\[[^\[\]\s]{{1,8}}\])
    | (?P<character>{_CUT}{_JOINED}*)
    | (?P<word>(?:(?!{_CUT})\w{_JOINED}*)+(?:[-.'’·@&](?:(?!{_CUT})\w)+)*)
    | (?P<mark>([^\w\s])\6*{_JOINED}*)""",
    re.VERBOSE,
)

Kind = Literal["character", "word", "mark"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A part that is not cut; `gap` is what parts it from the one before: nothing, or blanks."""

    text: str
    kind: Kind
    gap: str = ""


def units_of(tokens: Sequence[str], *, tokenisation: Tokenisation) -> list[Unit]:
    """Return the units of a sentence, blank ones left out.

    Outside dense text each token is one. In dense text they are ideographs and the like; words, numbers and addresses
    of other scripts; emoticons such as [哈哈]; and runs of one mark. All that is neither blank nor a letter of some
    script is a mark, so the units hold the whole sentence but its blanks.
    """
    if not tokenisation.is_dense:
        words = [token for token in tokens if token.strip()]
        return [
            Unit(word, "word" if any(map(str.isalnum, word)) else "mark", " " if place else "")
            for place, word in enumerate(words)
        ]
    text = "".join(tokens)
    found = []
    end = 0
    for match in _PATTERN.finditer(text):
        found.append(Unit(match[0], _kind(match), text[end : match.start()]))
        end = match.end()
    return found


def _kind(match: re.Match[str]) -> Kind:
    if match["character"]:
        return "character"
    return "word" if match["word"] or match["address"] else "mark"
