"""The writing style of a dataset: its scripts, capitals and tokens. New text is written in the same style."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER, Tokenisation
from utils.synthesis.habits.abbreviations import ONE_TOKEN, any_of

Punctuation = Literal["apart", "glued", "none"]  # each mark is a token, is part of a word, or is not written
Hanzi = Literal["simplified", "traditional"]

MIN_SCRIPT_SHARE = 0.001  # of a dataset's letters: a script below it is not one of the dataset's scripts
MAX_IDEOGRAPHS = 8  # a Japanese sentence with this many ideographs or more has kana too
MAX_KANA_SHARE = 0.05  # of letters: above it, the text is Japanese, which is neither simplified nor traditional
MIN_MAIN_SHARE = 0.3  # of a sentence's letters that are in the main scripts of the dataset
_WIDE = r"\u3000-\u303f\uff00-\uffef"  # punctuation marks of dense text
_DENSE = rf"[{DENSE_CHARACTER.pattern[1:-1]}{_WIDE}“”‘’…—·]"
_NEEDLESS_SPACE = re.compile(rf" (?={_DENSE})|(?<={_DENSE}) ")
_CLITIC = r"['’](?:s|re|ve|ll|d|m)\b"
_ABBREVIATION = (
    rf"(?:[^\W\d_]\.){{2,}}|(?:{any_of(ONE_TOKEN)})\.(?=\s|$|[,;])"
    r"|[^\W\d_]\.(?=\s[^\W\d_])"  # U.S., J. Carver
)
_NUMBER = r"\d+(?:[.,:/]\d+)*%?"
_WORD = re.compile(rf"{_ABBREVIATION}|{_NUMBER}|\w+(?:[-'’.&]\w+)*|\S")
_WORD_OR_CLITIC = re.compile(
    rf"{_ABBREVIATION}|{_NUMBER}|n['’]t\b|{_CLITIC}|\w+?(?=n['’]t\b)|\w+(?:[-'’.&]\w+)*?(?={_CLITIC})|\w+(?:[-'’.&]\w+)*|\S"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[\w./?=&%#~+-]+|\S+@\S+\.\w+", re.ASCII)
_BARE_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+")


@dataclass(frozen=True)
class WritingStyle:
    """How a dataset writes, learnt from its tokens."""

    tokenisation: Tokenisation
    punctuation: Punctuation = "apart"
    splits_clitics: bool = True  # do n't, Ann 's
    lower_case: bool = False  # no capital letter anywhere
    scripts: frozenset[str] = frozenset()  # names as from `script_of`; empty: every script is accepted
    main_scripts: frozenset[str] = frozenset()
    hanzi: Hanzi | None = None

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], *, tokenisation: Tokenisation) -> WritingStyle:
        """Return the writing style of tokenised sentences."""
        texts = list(sentences)
        tokens = Counter(token for text in texts for token in text)
        shares = _script_shares(tokens)
        return cls(
            tokenisation=tokenisation,
            punctuation="apart" if tokenisation.is_dense else _punctuation(tokens),
            splits_clitics=_splits_clitics(tokens),
            lower_case=any(map(str.islower, tokens)) and not any(token != token.lower() for token in tokens),
            scripts=frozenset(script for script, share in shares.items() if share >= MIN_SCRIPT_SHARE),
            main_scripts=_main_scripts(shares),
            hanzi=None if shares.get("KANA", 0) > MAX_KANA_SHARE else _usual_hanzi(texts),
        )

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of new text, cut as in the dataset."""
        text = " ".join((text.lower() if self.lower_case else text).split())
        if self.tokenisation.is_dense:
            # Only in Korean, and between two words of another script (New York), does a space mean something.
            return self.tokenisation.split(_NEEDLESS_SPACE.sub("", text))
        if self.punctuation == "apart":
            return (_WORD_OR_CLITIC if self.splits_clitics else _WORD).findall(text)
        return _BARE_WORD.findall(text) if self.punctuation == "none" else text.split()

    def is_foreign(self, text: str) -> bool:
        """Return whether a sentence is in another script than the dataset, or mixes simplified and traditional.

        Latin words occur in text of every script. A sentence of Latin words alone is foreign if the dataset is not.
        """
        letters = Counter(script for script in map(script_of, _ADDRESS.sub("", text)) if script)
        if not letters or not self.scripts:
            return False
        others = sum(number for script, number in letters.items() if script not in {*self.scripts, "LATIN"})
        main = sum(number for script, number in letters.items() if script in self.main_scripts)
        if others >= 2 or main < MIN_MAIN_SHARE * letters.total() or self._lacks_kana(letters):
            return True
        return self.hanzi is not None and _mixes_in(text, self.hanzi)

    def _lacks_kana(self, letters: Counter[str]) -> bool:
        """Return whether a sentence is too long to be Japanese without a single kana."""
        return "KANA" in self.main_scripts and letters["CJK"] >= MAX_IDEOGRAPHS and not letters["KANA"]


def script_of(character: str) -> str | None:
    """Return the script of a letter from its Unicode name ("LATIN", "CJK", "HANGUL", …), or None if it is no letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "UNKNOWN").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    script = name.split()[0].split("-")[0]
    return "KANA" if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else script


def hanzi_of(text: str) -> Hanzi | None:
    """Return whether the Chinese characters of a text are simplified or traditional, or None if both are possible.

    A character of Big5 that is not in GB 2312 is traditional (or rare). The reverse is simplified.
    """
    kinds = Counter(_kind_of_hanzi(character) for character in text if "\u4e00" <= character <= "\u9fff")
    simplified, traditional = kinds["simplified"], kinds["traditional"]
    if max(simplified, traditional) < 2 or simplified == traditional:
        return None
    return "traditional" if traditional > simplified else "simplified"


def _mixes_in(text: str, usual: Hanzi) -> bool:
    """Return whether a text has at least two characters of the other kind: a single one may be a rare name."""
    return sum(_kind_of_hanzi(one) not in (None, usual) for one in set(text) if "\u4e00" <= one <= "\u9fff") >= 2


def _kind_of_hanzi(character: str) -> Hanzi | None:
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


def _usual_hanzi(texts: Sequence[Sequence[str]]) -> Hanzi | None:
    """Return the kind of Chinese characters in at least 90 % of the sentences, or None if both kinds are common."""
    joined = ["".join(text) for text in texts]
    kinds = Counter(kind for kind in map(hanzi_of, joined) if kind)
    usual = max(kinds, key=lambda kind: kinds[kind], default=None)
    return usual if usual and kinds[usual] >= 0.9 * kinds.total() else None


def _script_shares(tokens: Counter[str]) -> dict[str, float]:
    letters: Counter[str] = Counter()
    for token, number in tokens.items():
        for character in token:
            if script := script_of(character):
                letters[script] += number
    return {script: number / letters.total() for script, number in letters.items()}


def _main_scripts(shares: dict[str, float]) -> frozenset[str]:
    """Return the script that most letters of a dataset are in; kana and ideographs count as one."""
    most = max(shares, key=lambda script: shares[script], default="")
    return frozenset({"CJK", "KANA"} & shares.keys() if most in ("CJK", "KANA") else {most} - {""})


def _punctuation(tokens: Counter[str]) -> Punctuation:
    apart = sum(tokens[mark] for mark in (",", ";", "."))
    glued = sum(number for token, number in tokens.items() if len(token) > 1 and token[-1] in ",;")
    if not apart and not glued and tokens.total() >= 1000 and not any(tokens[mark] for mark in "!?:"):
        return "none"
    return "apart" if apart >= glued else "glued"


def _splits_clitics(tokens: Counter[str]) -> bool:
    """Return whether `n't` and `'s` are separate tokens. True if a dataset has none: most datasets split them."""
    clitic = re.compile(rf"(?:n['’]t|{_CLITIC})$")
    apart = sum(number for token, number in tokens.items() if clitic.fullmatch(token))
    whole = sum(number for token, number in tokens.items() if not clitic.match(token) and clitic.search(token))
    return apart >= whole
