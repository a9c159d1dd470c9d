"""The scripts that a dataset is written in, and whether a new sentence is in another one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from utils.dataset.scripts.letters import Hanzi, hanzi_of, kind_of_hanzi, script_of

MIN_SCRIPT_SHARE = 0.005  # of the sentences: a script in fewer of them is not one of the dataset's scripts
MIN_MAIN_SHARE = 0.02  # of the sentences: a main script is the script of at least this many
MIN_HANZI_SHARE = 0.98  # of the sentences that are simplified or traditional: below it, both are accepted
MIN_LETTERS_IN_MAIN = 0.3  # share of a sentence's letters
KANA_OF_JAPANESE = 0.15  # share of kana among the kana and ideographs of a sentence: from here on it is Japanese
MAX_IDEOGRAPHS = 8  # a Japanese sentence with this many ideographs or more has kana too

_ADDRESS = re.compile(r"(?:https?://|www\.)[\w./?=&%#~+-]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_WRITTEN_WITHOUT_SPACES = {"CJK", "KANA", "HANGUL"}  # a letter of them counts as much as a word of the others


@dataclass(frozen=True)
class Scripts:
    """The scripts of a dataset, by shares of its sentences."""

    all: frozenset[str] = frozenset()  # names as from `script_of`; empty: every script is accepted
    main: frozenset[str] = frozenset()  # names as from `main_script_of`
    hanzi: Hanzi | None = None  # None: both kinds are accepted
    usual_exceptions: frozenset[str] = frozenset()  # ideographs of the other kind that are usual in the dataset

    @classmethod
    def of(cls, texts: Sequence[str]) -> Scripts:
        """Return the scripts of sentences."""
        found = Counter(script for text in texts for script in _letters(text))
        main = Counter(script for script in map(main_script_of, texts) if script)
        most = {max(main, key=lambda script: main[script])} if main else set()
        scripts = {script for script, number in found.items() if number >= MIN_SCRIPT_SHARE * len(texts)}
        mains = most | {script for script, number in main.items() if number >= MIN_MAIN_SHARE * main.total()}
        hanzi = _usual_hanzi(texts) if "CJK" in mains and "JAPANESE" not in mains else None
        return cls(frozenset(scripts), frozenset(mains), hanzi, _exceptions(texts, hanzi))

    def has_other_letters(self, text: str) -> bool:
        """Return whether at least two letters are of other scripts. Latin words occur in text of every script."""
        letters = _letters(text)
        return bool(self.all) and sum(letters.values()) - sum(letters[one] for one in {*self.all, "LATIN"}) >= 2

    def is_mainly_other(self, text: str) -> bool:
        """Return whether a sentence is mainly written in another script."""
        units = _units(text)
        script = main_script_of(text)
        if not self.main or not script or script in self.main:
            return False
        if script == "JAPANESE" and "CJK" in self.main:
            return True
        own = sum(units[one] for main in self.main for one in ({"CJK", "KANA"} if main == "JAPANESE" else {main}))
        return own < MIN_LETTERS_IN_MAIN * units.total()

    def lacks_kana(self, text: str) -> bool:
        """Return whether a sentence is too long to be Japanese without a single kana."""
        letters = _letters(text)
        return "JAPANESE" in self.main and letters["CJK"] >= MAX_IDEOGRAPHS and not letters["KANA"]

    def mixes_hanzi(self, text: str) -> bool:
        """Return whether at least two characters are of the other kind: a single one may be a rare name."""
        if self.hanzi is None:
            return False
        others = (one for one in set(text) - self.usual_exceptions if kind_of_hanzi(one) not in (None, self.hanzi))
        return sum(1 for _ in others) >= 2

    def is_foreign(self, text: str) -> bool:
        """Return whether a sentence is in another script, or in Chinese characters of the other kind."""
        checks = (self.has_other_letters, self.is_mainly_other, self.lacks_kana, self.mixes_hanzi)
        return any(check(text) for check in checks)

    def __str__(self) -> str:
        names = ", ".join(sorted(name.lower() for name in self.main)) or "no letters"
        return f"{names} ({self.hanzi})" if self.hanzi else names


ANY_SCRIPT = Scripts()


def main_script_of(text: str) -> str | None:
    """Return the script that most of a sentence is written in, or "JAPANESE", or None without letters.

    An ideograph, a kana or a syllable of hangul counts as much as a word of another script.
    """
    units = _units(text)
    if units["KANA"] >= 2 and units["KANA"] >= KANA_OF_JAPANESE * (units["KANA"] + units["CJK"]):
        units["JAPANESE"] = units.pop("KANA") + units.pop("CJK", 0)
    return max(units, key=lambda script: (units[script], script), default=None)


def _letters(text: str) -> Counter[str]:
    return Counter(script for script in map(script_of, _ADDRESS.sub("", text)) if script)


def _units(text: str) -> Counter[str]:
    units: Counter[str] = Counter()
    for script, letters in groupby(map(script_of, _ADDRESS.sub("", text))):
        if script:
            units[script] += sum(1 for _ in letters) if script in _WRITTEN_WITHOUT_SPACES else 1
    return units


def _usual_hanzi(texts: Iterable[str]) -> Hanzi | None:
    """Return the kind of Chinese characters in nearly all sentences, or None if both kinds are common."""
    kinds = Counter(kind for kind in map(hanzi_of, texts) if kind)
    usual = max(kinds, key=lambda kind: kinds[kind], default=None)
    return usual if usual and kinds[usual] >= MIN_HANZI_SHARE * kinds.total() else None


def _exceptions(texts: Iterable[str], usual: Hanzi | None) -> frozenset[str]:
    """Return the characters of the other kind that at least two sentences of the usual kind contain."""
    counts = Counter(one for text in texts if usual and hanzi_of(text) == usual for one in set(text))
    return frozenset(one for one, number in counts.items() if number >= 2 and kind_of_hanzi(one) not in (None, usual))
