"""How a dataset writes: which scripts, which words and marks are tokens of their own. New text is written like it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.dataset.tokens import DENSE_CHARACTER, split_text

Marks = Literal["apart", "glued", "none"]  # punctuation marks are tokens, belong to words, or are not written
Hanzi = Literal["simplified", "traditional"]

RARE = 0.001  # a script with a smaller share of a dataset's letters is not the dataset's
NO_JAPANESE = 8  # ideographs in a sentence without kana
JAPANESE = 0.05  # of kana: Japanese writes in characters of its own
MAIN = 0.3  # share of a sentence's letters that must be of the scripts that the dataset is mostly written in
_WIDE = r"\u3000-\u303f\uff00-\uffef"  # marks of dense text
_DENSE = rf"[{DENSE_CHARACTER.pattern[1:-1]}{_WIDE}“”‘’…—·]"
_NEEDLESS_BLANK = re.compile(rf" (?={_DENSE})|(?<={_DENSE}) ")
_CLITIC = r"['’](?:s|re|ve|ll|d|m)\b"
_ABBREVIATION = (
    r"(?:[^\W\d_]\.){2,}|(?:Mr|Mrs|Ms|Dr|Prof|St|Inc|Ltd|Co|Corp|Jr|Sr|No|vs|etc|e\.g|i\.e)\.(?=\s|$|[,;])"
    r"|[^\W\d_]\.(?=\s[^\W\d_])"  # U.S., J. Carver
)
_NUMBER = r"\d+(?:[.,:/]\d+)*%?"
_WORD = re.compile(rf"{_ABBREVIATION}|{_NUMBER}|\w+(?:[-'’.&]\w+)*|\S")
_WORD_PART = re.compile(
    rf"{_ABBREVIATION}|{_NUMBER}|n['’]t\b|{_CLITIC}|\w+?(?=n['’]t\b)|\w+(?:[-'’.&]\w+)*?(?={_CLITIC})|\w+(?:[-'’.&]\w+)*|\S"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[\w./?=&%#~+-]+|\S+@\S+\.\w+", re.ASCII)
_BARE_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+")


@dataclass(frozen=True)
class Writing:
    """The habits of a dataset, learnt from its tokens."""

    dense: bool
    marks: Marks = "apart"
    parts_clitics: bool = True  # do n't, Ann 's
    lower_case: bool = False  # no capital letter anywhere
    scripts: frozenset[str] = frozenset()  # as `script_of` names them; none: any
    main_scripts: frozenset[str] = frozenset()
    hanzi: Hanzi | None = None

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], *, dense: bool) -> Writing:
        """Return the habits of tokenised sentences."""
        texts = list(sentences)
        tokens = Counter(token for text in texts for token in text)
        shares = _script_shares(tokens)
        return cls(
            dense=dense,
            marks="apart" if dense else _marks(tokens),
            parts_clitics=_parts_clitics(tokens),
            lower_case=any(map(str.islower, tokens)) and not any(token != token.lower() for token in tokens),
            scripts=frozenset(script for script, share in shares.items() if share >= RARE),
            main_scripts=_main_scripts(shares),
            hanzi=None if shares.get("KANA", 0) > JAPANESE else _usual_hanzi(texts),
        )

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of new text, cut as the dataset's are."""
        text = " ".join((text.lower() if self.lower_case else text).split())
        if self.dense:
            # A blank has a meaning between two words of another script (New York) and in Korean, and only there.
            return split_text(_NEEDLESS_BLANK.sub("", text), dense=True)
        if self.marks == "apart":
            return (_WORD_PART if self.parts_clitics else _WORD).findall(text)
        return _BARE_WORD.findall(text) if self.marks == "none" else text.split()

    def is_foreign(self, text: str) -> bool:
        """Tell whether a sentence is in another script than the dataset, or has Chinese characters of the other kind.

        Latin words stand in text of every script; where they are all that there is, it is another one.
        """
        letters = Counter(script for script in map(script_of, _ADDRESS.sub("", text)) if script)
        if not letters or not self.scripts:
            return False
        others = sum(number for script, number in letters.items() if script not in {*self.scripts, "LATIN"})
        main = sum(number for script, number in letters.items() if script in self.main_scripts)
        if others >= 2 or main < MAIN * letters.total() or self._lacks_kana(letters):
            return True
        return self.hanzi is not None and _mixes_in(text, self.hanzi)

    def _lacks_kana(self, letters: Counter[str]) -> bool:
        """Tell whether a sentence can be no Japanese one: it is long, and has ideographs alone."""
        return "KANA" in self.main_scripts and letters["CJK"] >= NO_JAPANESE and not letters["KANA"]


def script_of(character: str) -> str | None:
    """Return the script of a letter by its Unicode name ("LATIN", "CJK", "HANGUL", …); None for what is no letter."""
    if not character.isalpha():
        return None
    name = unicodedata.name(character, "UNKNOWN").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    script = name.split()[0].split("-")[0]
    return "KANA" if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else script


def hanzi_of(text: str) -> Hanzi | None:
    """Say how the Chinese characters of a text are written, by the national character sets; None: it does not show.

    A character of Big5 that GB 2312 lacks is traditional (or rare), one of GB 2312 that Big5 lacks is simplified.
    """
    kinds = Counter(_kind_of_hanzi(character) for character in text if "\u4e00" <= character <= "\u9fff")
    simplified, traditional = kinds["simplified"], kinds["traditional"]
    if max(simplified, traditional) < 2 or simplified == traditional:
        return None
    return "traditional" if traditional > simplified else "simplified"


def _mixes_in(text: str, usual: Hanzi) -> bool:
    """Tell whether at least two characters of a text, a slip or a rare name apart, are not of the usual kind."""
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
    """Return how nearly all sentences write Chinese characters; None where it is mixed."""
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
    """Return the script that a dataset is mostly written in; kana and ideographs are one."""
    most = max(shares, key=lambda script: shares[script], default="")
    return frozenset({"CJK", "KANA"} & shares.keys() if most in ("CJK", "KANA") else {most} - {""})


def _marks(tokens: Counter[str]) -> Marks:
    apart = sum(tokens[mark] for mark in (",", ";", "."))
    glued = sum(number for token, number in tokens.items() if len(token) > 1 and token[-1] in ",;")
    if not apart and not glued and tokens.total() >= 1000 and not any(tokens[mark] for mark in "!?:"):
        return "none"
    return "apart" if apart >= glued else "glued"


def _parts_clitics(tokens: Counter[str]) -> bool:
    """Tell whether `n't` and `'s` are tokens of their own; so it is where there are none, as in most datasets."""
    clitic = re.compile(rf"(?:n['’]t|{_CLITIC})$")
    apart = sum(number for token, number in tokens.items() if clitic.fullmatch(token))
    whole = sum(number for token, number in tokens.items() if not clitic.match(token) and clitic.search(token))
    return apart >= whole
