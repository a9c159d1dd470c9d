"""Find texts that copy a known text, exactly or with small changes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Literal

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel
from rensa import RMinHash

from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.synthesis.copies.band_index import BandIndex

Likeness = Literal["copy", "part", "near"]

NEAR = 0.8  # share of the characters that two texts have in common, in order: from here on they are near
SHORT = 24  # characters: up to this length, a text is compared with every known text of a similar length
WINDOW = {CHARACTERS: 8, WORDS: 12}  # characters in a row that a text and its part share
MINHASH_NGRAM = {CHARACTERS: 2, WORDS: 3}  # characters
SHARED_NGRAM = {CHARACTERS: 4, WORDS: 3}  # characters, or words
REPEATED_NGRAM = {CHARACTERS: 3, WORDS: 2}  # characters, or words
PART_RATIO = 85  # percent of the shorter text that is in the longer one

# 42 bands of 3 rows. Near texts that are not short have at least half of their n-grams in common: then no band agrees
# with a probability of (1 - 0.5**3) ** 42 = 0.4 %. With 70 % in common it is 3e-8.
BANDS, ROWS, SEED = 42, 3, 1


def text_key(text: str) -> str:
    """Return the letters and digits of a text, without differences in case and width."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if character.isalnum())


class KnownTexts:
    """Texts that others are compared with. Their order does not change the result.

    MinHash over character n-grams proposes candidates, and the true similarity decides. Where MinHash may miss
    one, the search is exact: short texts, parts, and one changed unit (a character of dense text, else a word).
    """

    def __init__(self, texts: Iterable[Sequence[str]] = (), *, tokenisation: Tokenisation) -> None:
        self.tokenisation = tokenisation
        self._keys: list[str] = []
        self._known: set[str] = set()
        self._short: dict[int, list[str]] = defaultdict(list)  # by length
        self._index = BandIndex(BANDS)
        given = list(texts)
        for tokens in given:
            self.add(tokens)
        # Single edits and parts are searched for in the given texts alone: very many may be added later.
        self._gaps = {gap for tokens in given for gap in self._with_gaps(tokens)}
        self._windows: dict[str, set[int]] = defaultdict(set)  # character n-gram -> indices of texts
        for index, key in enumerate(self._keys):
            for window in _ngrams(key, WINDOW[tokenisation]):
                self._windows[window].add(index)

    def add(self, tokens: Sequence[str]) -> None:
        """Add a text."""
        key = text_key("".join(tokens))
        if not key or key in self._known:
            return
        self._known.add(key)
        self._index.add(self._minhash(key))
        self._keys.append(key)
        if len(key) <= SHORT:
            self._short[len(key)].append(key)

    def likeness(self, tokens: Sequence[str], *, one_edit: bool = False) -> Likeness | None:
        """Return how a text resembles a known one, or None. A part is contained in a known text, or contains one.

        `one_edit`: a text is near also if one changed, added or removed unit is the only difference.
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
        """Return "part" if one of the two texts contains the other, "near" if with small changes, or None."""
        sharing = {
            index for window in _ngrams(key, WINDOW[self.tokenisation]) for index in self._windows.get(window, ())
        }
        known = [self._keys[index] for index in sharing]
        if any(key in one or one in key for one in known):
            return "part"
        partly = any(fuzz.partial_ratio(key, one, score_cutoff=PART_RATIO) for one in known)
        return "near" if partly else None

    def _with_gaps(self, tokens: Sequence[str]) -> Iterator[int]:
        """Yield the hash of a text, and of the text without each unit. Texts one edit apart share one of them."""
        units = _units(tokens, tokenisation=self.tokenisation)
        if units:
            yield hash(units)
        if len(units) > 2:
            yield from (hash(units[:index] + units[index + 1 :]) for index in range(len(units)))

    def _is_near(self, key: str) -> bool:
        if not key:
            return False
        proposed = (self._keys[index] for index in self._index.find(self._minhash(key)))
        longest = min(SHORT, int(len(key) * (2 - NEAR) / NEAR))
        lengths = range(int(len(key) * NEAR / (2 - NEAR)), longest + 1)
        as_long = chain.from_iterable(self._short.get(length, ()) for length in lengths)
        choices = [*proposed, *as_long]
        found = process.extractOne(key, choices, scorer=Indel.normalized_similarity, score_cutoff=NEAR)
        return found is not None

    def _minhash(self, key: str) -> list[int]:
        made = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
        made.update(sorted(set(_ngrams(key, MINHASH_NGRAM[self.tokenisation]))) or [key])
        return list(made.digest())


def shared_share(tokens: Sequence[str], source: Sequence[str], *, tokenisation: Tokenisation) -> float:
    """Return the share of a text's n-grams that are in its source too: 4 characters of dense text, or 3 words."""
    length = SHARED_NGRAM[tokenisation]
    own, given = (_unit_ngrams(text, length, tokenisation=tokenisation) for text in (tokens, source))
    return len(own & given) / len(own) if own else 0.0


def repeated_share(tokens: Sequence[str], *, tokenisation: Tokenisation) -> float:
    """Return the share of a text's n-grams that repeat an earlier one: 3 characters of dense text, or 2 words.

    For a text of fewer than 10 n-grams the share is 0.
    """
    units = _units(tokens, tokenisation=tokenisation)
    length = REPEATED_NGRAM[tokenisation]
    ngrams = [units[start : start + length] for start in range(len(units) - length + 1)]
    return 1 - len(set(ngrams)) / len(ngrams) if len(ngrams) >= 10 else 0.0


def _unit_ngrams(tokens: Sequence[str], length: int, *, tokenisation: Tokenisation) -> set[tuple[str, ...]]:
    units = _units(tokens, tokenisation=tokenisation)
    return {units[start : start + length] for start in range(len(units) - length + 1)}


def _units(tokens: Sequence[str], *, tokenisation: Tokenisation) -> tuple[str, ...]:
    """Return the characters of a dense text's key, or the words of another text, each as a key."""
    if tokenisation.is_dense:
        return tuple(text_key("".join(tokens)))
    words = map(text_key, re.findall(r"\w+", " ".join(tokens)))
    return tuple(word for word in words if word)


def _ngrams(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(len(text) - length + 1)]
