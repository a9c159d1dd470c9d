"""Groups of sentences that must stay together: equal ones, nearly equal ones, and those that contain each other.

Two sentences are nearly equal if they share most of their character trigrams: a Jaccard similarity of at least 0.8.
Digits count as equal, so that templates which differ in a number stay together. Every such pair is found: if two sets
are that similar, they share an element among the first (rarest) ones of each (prefix filtering: Chaudhuri et al. 2006).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from utils.dataset.held_out import HeldOutTexts, held_out_key

NEAR = 0.8  # Jaccard similarity of the trigrams of two sentences: from here on, they are nearly equal
TRIGRAM = 3  # characters

Track = Callable[[Sequence[Any]], Iterable[Any]]  # returns the same items, and may show how many are done


def group_sentences(texts: Sequence[Sequence[str]], track: Track = iter) -> list[list[int]]:
    """Return the indices of tokenised sentences in groups, in the order of the first sentence of each.

    >>> group_sentences([["Rome", "fell", "."], ["It", "rained"], ["rome", "fell."]])
    [[0, 2], [1]]
    """
    parents = list(range(len(texts)))
    for first, second in _pairs(texts, track):
        parents[_root(parents, second)] = _root(parents, first)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(texts)):
        groups[_root(parents, index)].append(index)
    return sorted(groups.values())


def _pairs(texts: Sequence[Sequence[str]], track: Track) -> Iterator[tuple[int, int]]:
    """Yield the pairs of sentences that belong together; not every pair of a group is among them."""
    seen: dict[str, int] = {}
    for index, tokens in enumerate(texts):
        first = seen.setdefault(held_out_key(tokens), index)
        if first != index:
            yield first, index
    known = HeldOutTexts((texts[index], index) for index in seen.values())
    for index in seen.values():
        yield from ((other, index) for other in known.contained(texts[index]))
    yield from _near_pairs({index: _trigrams(key) for key, index in seen.items()}, track)


def _trigrams(key: str) -> frozenset[str]:
    """Return the trigrams of the letters of a sentence, all digits as 0."""
    letters = re.sub(r"\d", "0", "".join(filter(str.isalnum, key)))
    return frozenset(letters[start : start + TRIGRAM] for start in range(max(1, len(letters) - TRIGRAM + 1)))


def _near_pairs(sets: dict[int, frozenset[str]], track: Track) -> Iterator[tuple[int, int]]:
    """Yield the pairs of sets with a similarity of at least NEAR."""
    counts = Counter(one for some in sets.values() for one in some)
    by_prefix: dict[str, list[int]] = defaultdict(list)
    for index, some in track(sorted(sets.items(), key=lambda pair: len(pair[1]))):
        rarest = sorted(some, key=lambda one: (counts[one], one))
        prefix = rarest[: len(rarest) - int(-(-NEAR * len(rarest) // 1)) + 1]
        candidates = {other for one in prefix for other in by_prefix[one]}
        for other in candidates:
            shared = len(some & sets[other])
            if shared >= NEAR * (len(some) + len(sets[other]) - shared):
                yield other, index
        for one in prefix:
            by_prefix[one].append(index)


def _root(parents: list[int], index: int) -> int:
    """Return the representative of a group; the path to it is shortened on the way."""
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index
