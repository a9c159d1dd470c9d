"""Text as tokens and back, and the tokenisation and language of a dataset."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

# Scripts that are written without spaces: kana, CJK ideographs and their extensions.
DENSE_CHARACTER = re.compile("[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_DENSE_CHARACTER_OR_RUN = re.compile(rf"{DENSE_CHARACTER.pattern}|\w+|[^\w\s]")
DENSE_SHARE = 0.95  # of tokens of one character: from here on, a dataset is dense

Language = Literal["zh", "en", "ja", "ko"]  # of the prompts
JAPANESE_SHARE = 0.1  # of kana among ideographs and kana; Japanese text has about 0.4
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_KANA_MARK = re.compile("[\u30fb-\u30ff]")  # such as the middle dot, which Chinese text uses, too
_HANGUL = re.compile("[\uac00-\ud7a3]")
_ALPHABETIC_WORD = re.compile(rf"(?:(?!{DENSE_CHARACTER.pattern}|{_HANGUL.pattern})[^\W\d_])+")


@dataclass(frozen=True)
class Tokenisation:
    """How text is cut into tokens: one character each, as in Chinese and Japanese ("dense" text), or one word each."""

    is_dense: bool

    def split(self, text: str) -> list[str]:
        """Return the tokens of a plain string: its characters, spaces included, or what whitespace separates."""
        return list(text) if self.is_dense else text.split()

    def join(self, tokens: Iterable[str]) -> str:
        """Return the text of tokens as prompts show it."""
        return ("" if self.is_dense else " ").join(tokens)


CHARACTERS = Tokenisation(is_dense=True)
WORDS = Tokenisation(is_dense=False)


def without_spaces(text: str) -> str:
    """Return `text` without any whitespace."""
    return "".join(text.split())


def tokenisation_of(texts: Iterable[str | Sequence[str]]) -> Tokenisation:
    """Return CHARACTERS if at least 95 % of the tokens of `texts` are one character, else WORDS.

    In a plain string, each ideograph, kana and punctuation mark counts as a token, and each run of other letters or
    digits.
    """
    tokens = single = 0
    for text in texts:
        units = _DENSE_CHARACTER_OR_RUN.findall(text) if isinstance(text, str) else text
        tokens += len(units)
        single += sum(len(unit) == 1 for unit in units)
    return CHARACTERS if tokens > 0 and single >= DENSE_SHARE * tokens else WORDS


def language_of(texts: Iterable[str]) -> Language:
    """Return the language of the prompts for `texts`; "en" for scripts that have no prompts.

    A word of an alphabet counts as much as an ideograph, a kana or a Hangul syllable. A few kana do not make Chinese
    text Japanese, because Chinese text has kana in names.
    """
    text = "\n".join(texts)
    kana, hangul = (len(re.findall(script, text)) for script in (_KANA, _HANGUL))
    han = len(DENSE_CHARACTER.findall(text)) - len(_KANA_MARK.findall(text))
    words = len(_ALPHABETIC_WORD.findall(text))
    if hangul > max(han, words):
        return "ko"
    if han <= words:
        return "en"
    return "ja" if kana > JAPANESE_SHARE * han else "zh"
