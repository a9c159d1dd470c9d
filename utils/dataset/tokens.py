"""Text as tokens and back, and the tokenisation and language of a dataset."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
_ANY_KANA = re.compile("[\u3041-\u30ff]")
_DENSE_RUN = re.compile(f"{DENSE_CHARACTER.pattern}+")
_OTHER_CHARACTER = re.compile(  # Hangul, of an alphabet, or rare: not one of the usual punctuation marks and digits
    "[^\0-@\u3000-\u3004\u3008-\u3020，。！？：；（）“”‘’…]"
)
_encode_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
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


def same_text_key(tokens: Sequence[str]) -> str:
    """Return a key that is equal for sentences that differ only in whitespace, case or tokenisation."""
    return without_spaces("".join(tokens)).casefold()


def text_hash(tokens: Sequence[str]) -> str:
    """Return the SHA-256 that identifies a sentence's text in journals and in `training.json`."""
    text = '","'.join(tokens)
    is_plain = text.count('"') == 2 * len(tokens) - 2 and "\\" not in text and text.isprintable()
    text = f'["{text}"]' if is_plain else _encode_compact(list(tokens))  # the same, but the first is faster
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass
class TokenCount:
    """Counts the tokens of texts, to find their tokenisation.

    In a plain string, each ideograph, kana and punctuation mark counts as a token, and each run of other letters or
    digits.
    """

    tokens: int = 0
    single: int = 0  # of them, those of one character

    def add(self, text: str | Sequence[str]) -> None:
        """Count the tokens of one more text."""
        units = _DENSE_CHARACTER_OR_RUN.findall(text) if isinstance(text, str) else text
        self.tokens += len(units)
        self.single += [*map(len, units)].count(1)

    @property
    def tokenisation(self) -> Tokenisation:
        """CHARACTERS if at least 95 % of the tokens are one character, else WORDS."""
        return CHARACTERS if self.tokens > 0 and self.single >= DENSE_SHARE * self.tokens else WORDS


def tokenisation_of(texts: Iterable[str | Sequence[str]]) -> Tokenisation:
    """Return CHARACTERS if at least 95 % of the tokens of `texts` are one character, else WORDS."""
    count = TokenCount()
    for text in texts:
        count.add(text)
    return count.tokenisation


@dataclass
class ScriptCount:
    """Counts the characters of each script in texts, to find their language."""

    dense: int = 0  # characters of scripts without spaces
    kana: int = 0
    kana_marks: int = 0  # such as the middle dot, which Chinese text uses, too
    hangul: int = 0
    words: Counter[Tokenisation] = field(default_factory=Counter)  # of an alphabet, in text joined in either way

    def add(self, tokens: Sequence[str]) -> None:
        """Count one more text. Each search is made only in what may have a match."""
        text = CHARACTERS.join(tokens)
        rest = _DENSE_RUN.sub("", text)
        self.dense += len(text) - len(rest)
        if _ANY_KANA.search(text):
            self.kana += len(_KANA.findall(text))
            self.kana_marks += len(_KANA_MARK.findall(text))
        if _OTHER_CHARACTER.search(rest):
            self.hangul += len(_HANGUL.findall(rest))
            for tokenisation in (CHARACTERS, WORDS):
                self.words[tokenisation] += len(_ALPHABETIC_WORD.findall(tokenisation.join(tokens)))

    def language(self, tokenisation: Tokenisation) -> Language:
        """Return the language of the prompts for the texts; "en" for scripts that have no prompts.

        A word of an alphabet counts as much as an ideograph, a kana or a Hangul syllable. A few kana do not make
        Chinese text Japanese, because Chinese text has kana in names.
        """
        han, words = self.dense - self.kana_marks, self.words[tokenisation]
        if self.hangul > max(han, words):
            return "ko"
        if han <= words:
            return "en"
        return "ja" if self.kana > JAPANESE_SHARE * han else "zh"


def count_scripts(texts: Iterable[Sequence[str]]) -> ScriptCount:
    """Return the count of the characters in texts, which are given as tokens."""
    count = ScriptCount()
    for tokens in texts:
        count.add(tokens)
    return count


def language_of(texts: Iterable[str]) -> Language:
    """Return the language of the prompts for `texts`, as `ScriptCount.language` finds it."""
    return count_scripts([text] for text in texts).language(CHARACTERS)
