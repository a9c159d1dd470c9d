"""Which texts say the same as one that is known already, with a few characters or words changed."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel
from rensa import RMinHash, RMinHashLSH

Likeness = Literal["copy", "part", "near"]

NEAR = 0.8  # share of the characters of two texts that they have in common, in order: at least this makes them near
SHORT = 24  # characters: a shorter text is compared with every one of about its length, and not by MinHash alone
PART = {True: 8, False: 12}  # characters, in dense text or other, that texts must share before one can be a part
PARTLY = 85  # percent of the shorter text that must stand in the longer one

# 42 bands of 3 rows. Texts of NEAR have at least half of their n-grams in common, or are shorter than SHORT: the
# chance that no band agrees is then (1 - 0.5**3) ** 42 = 0.4 %, and with 70 % in common it is 3e-8.
BANDS, ROWS, SEED = 42, 3, 1


def text_key(text: str) -> str:
    """Return what is equal for texts that differ only in case, width, blanks and punctuation marks."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if character.isalnum())


class KnownTexts:
    """Texts that others are compared with; the answer depends on which they are, not on their order.

    MinHash over n-grams of characters proposes, the true similarity decides. What MinHash could miss by chance is
    looked up exactly: short texts, parts, and one changed unit (a character of dense text, else a word).
    """

    def __init__(self, texts: Iterable[Sequence[str]] = (), *, dense: bool) -> None:
        self.dense = dense
        self._keys: list[str] = []
        self._known: set[str] = set()
        self._short: dict[int, list[str]] = defaultdict(list)  # by length
        self._lsh = RMinHashLSH(threshold=NEAR, num_perm=BANDS * ROWS, num_bands=BANDS)
        given = list(texts)
        for tokens in given:
            self.add(tokens)
        # One edit and parts are looked for in the texts of the start alone: those that follow may be very many.
        self._gaps = {gap for tokens in given for gap in self._with_gaps(tokens)}  # texts with one unit taken out
        self._windows: dict[str, set[int]] = defaultdict(set)  # stretches of PART characters -> texts
        for place, key in enumerate(self._keys):
            for window in _ngrams(key, PART[dense]):
                self._windows[window].add(place)

    def add(self, tokens: Sequence[str]) -> None:
        """Make a text known."""
        key = text_key("".join(tokens))
        if not key or key in self._known:
            return
        self._known.add(key)
        self._lsh.insert(len(self._keys), self._minhash(key))
        self._keys.append(key)
        if len(key) <= SHORT:
            self._short[len(key)].append(key)

    def likeness(self, tokens: Sequence[str], *, one_edit: bool = False) -> Likeness | None:
        """Say how a text resembles a known one: a copy, a part (of it, or the reverse), or near; None if it does not.

        `one_edit`: one changed, added or left out unit makes it near, however little is left in common.
        """
        key = text_key("".join(tokens))
        if key in self._known:
            return "copy"
        if part := self._part(key):
            return part
        if one_edit and not self._gaps.isdisjoint(self._with_gaps(tokens)):
            return "near"
        return "near" if self._is_near(key) else None

    def _part(self, key: str) -> Likeness | None:
        """Say whether most of a text stands inside a known one, or the reverse: as it is, or with small changes."""
        sharing = {place for window in _ngrams(key, PART[self.dense]) for place in self._windows.get(window, ())}
        known = [self._keys[place] for place in sharing]
        if any(key in one or one in key for one in known):
            return "part"
        partly = any(fuzz.partial_ratio(key, one, score_cutoff=PARTLY) for one in known)
        return "near" if partly else None

    def _with_gaps(self, tokens: Sequence[str]) -> Iterator[int]:
        """Yield a text, and the text without each of its units: texts one edit apart have one of these in common."""
        units = _units(tokens, dense=self.dense)
        if units:
            yield hash(units)
        if len(units) > 2:
            yield from (hash(units[:place] + units[place + 1 :]) for place in range(len(units)))

    def _is_near(self, key: str) -> bool:
        if not key:
            return False
        proposed = (self._keys[place] for place in self._lsh.query(self._minhash(key)))
        longest = min(SHORT, int(len(key) * (2 - NEAR) / NEAR))
        lengths = range(int(len(key) * NEAR / (2 - NEAR)), longest + 1)
        as_long = chain.from_iterable(self._short.get(length, ()) for length in lengths)
        choices = [*proposed, *as_long]
        found = process.extractOne(key, choices, scorer=Indel.normalized_similarity, score_cutoff=NEAR)
        return found is not None

    def _minhash(self, key: str) -> RMinHash:
        made = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
        made.update(sorted(set(_ngrams(key, 2 if self.dense else 3))) or [key])
        return made


def shared_share(tokens: Sequence[str], source: Sequence[str], *, dense: bool) -> float:
    """Return how much of a text is taken over from a source: the share of its stretches that stand there as well.

    A stretch is 4 characters of dense text, or 3 words.
    """
    length = 4 if dense else 3
    own, given = (_stretches(text, length, dense=dense) for text in (tokens, source))
    return len(own & given) / len(own) if own else 0.0


def repeated_share(tokens: Sequence[str], *, dense: bool) -> float:
    """Return how much of a text only says again what it says itself: the share of its stretches beyond the first each.

    A stretch is 3 characters of dense text, or 2 words; of a short text the share is 0.
    """
    units = _units(tokens, dense=dense)
    length = 3 if dense else 2
    stretches = [units[start : start + length] for start in range(len(units) - length + 1)]
    return 1 - len(set(stretches)) / len(stretches) if len(stretches) >= 10 else 0.0


def _stretches(tokens: Sequence[str], length: int, *, dense: bool) -> set[tuple[str, ...]]:
    units = _units(tokens, dense=dense)
    return {units[start : start + length] for start in range(len(units) - length + 1)}


def _units(tokens: Sequence[str], *, dense: bool) -> tuple[str, ...]:
    """Return what a text is made of: the characters of its key, or its words, folded."""
    if dense:
        return tuple(text_key("".join(tokens)))
    words = map(text_key, re.findall(r"\w+", " ".join(tokens)))
    return tuple(word for word in words if word)


def _ngrams(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]
