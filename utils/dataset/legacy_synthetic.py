"""Synthetic sentences of an earlier implementation, which have neither an id nor the number of their source."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from utils.dataset.records import UNKNOWN_SOURCE, Sentence
from utils.dataset.tokens import Tokenisation

MIN_NAME = 2  # characters of a mention; a shorter one is in too many sentences by chance
ORDERED_SHARE = 0.8  # of the matches in ascending order: from here on, the file is in the order of its sources

Units = tuple[str, ...]  # characters in dense text, otherwise words


def add_sources(
    synthetic: Sequence[Sentence], sources: Sequence[Sentence], *, tokenisation: Tokenisation
) -> list[Sentence]:
    """Return the synthetic sentences with ids and with the numbers of their sources, found by text.

    A synthetic sentence explains entities of its source. So its source is the only sentence with entities that contains
    all mentions (of any sentence of the dataset) in it. With the sources

        1   Agnes Muir saw Rome .     mentions  Agnes Muir, Rome
        2   Rome fell .               mentions  Rome

    "Agnes Muir was born in Rome ." is from 1. "Rome is old ." can be from both, so its source is unknown: it gets
    UNKNOWN_SOURCE, and belongs to the whole dataset alone. So do all sentences without a mention.
    """
    found = _drop_out_of_order(_find_sources(synthetic, sources, tokenisation=tokenisation))
    made: Counter[int] = Counter()
    numbered = []
    for sentence, number in zip(synthetic, found, strict=True):
        source = UNKNOWN_SOURCE if number is None else number
        made[source] += 1
        id_ = f"{source}-{made[source]}"
        numbered.append(replace(sentence, id=id_, row={"id": id_, "source": source, **sentence.row, "synthetic": True}))
    return numbered


def _find_sources(
    synthetic: Iterable[Sentence], sources: Sequence[Sentence], *, tokenisation: Tokenisation
) -> list[int | None]:
    """Return the number of the only source that each synthetic sentence can have, or None."""
    names = _Names(sources, tokenisation=tokenisation)
    holders: dict[Units, set[int]] = defaultdict(set)  # name -> numbers of the sentences that contain it
    for number, source in enumerate(sources, start=1):
        if source.spans:
            for name in names.find(_units(source.tokens, tokenisation=tokenisation)):
                holders[name].add(number)
    found: list[int | None] = []
    for sentence in synthetic:
        mentioned = [holders[name] for name in names.find(_units(sentence.tokens, tokenisation=tokenisation))]
        common = set.intersection(*mentioned) if mentioned else set()
        found.append(next(iter(common)) if len(common) == 1 else None)
    return found


class _Names:
    """The annotated mentions of a dataset, to be found in texts."""

    def __init__(self, sources: Iterable[Sentence], *, tokenisation: Tokenisation) -> None:
        spans = ((source.tokens[span.start : span.end]) for source in sources for span in source.spans)
        names = {_units(tokens, tokenisation=tokenisation) for tokens in spans}
        self._names = {name for name in names if len("".join(name)) >= MIN_NAME}
        self._lengths = sorted({len(name) for name in self._names})

    def find(self, units: Units) -> set[Units]:
        """Return the names in a text."""
        parts = (units[start : start + length] for start in range(len(units)) for length in self._lengths)
        return {part for part in parts if part in self._names}


def _units(tokens: Iterable[str], *, tokenisation: Tokenisation) -> Units:
    """Return the characters or words of tokens; the words do not depend on how the tokens were split."""
    text = "".join(tokens) if tokenisation.is_dense else " ".join(tokens)
    return tuple("".join(text.split())) if tokenisation.is_dense else tuple(re.findall(r"\w+|[^\w\s]", text))


def _drop_out_of_order(found: Sequence[int | None]) -> list[int | None]:
    """Return the sources without those out of order, if nearly all are in ascending order.

    The earlier implementation wrote its sentences in the order of their sources. There, a match out of order is a
    mention that the LLM used by chance: in 7 7 2 8 9 9, it is the 2. In any other order, all matches are kept.
    """
    matches = [number for number in found if number is not None]
    ordered = _longest_ascending(matches)
    if len(ordered) < ORDERED_SHARE * len(matches):
        return list(found)
    places = (place for place, number in enumerate(found) if number is not None)
    kept = {place for index, place in enumerate(places) if index in ordered}
    return [number if place in kept else None for place, number in enumerate(found)]


def _longest_ascending(numbers: Sequence[int]) -> set[int]:
    """Return the indices of a longest subsequence that never descends."""
    tails: list[int] = []  # tails[n]: the smallest last number of such a subsequence of n + 1 numbers
    ends: list[int] = []  # the index of that number
    before: list[int | None] = []  # the index of the number before each number
    for index, number in enumerate(numbers):
        length = bisect_right(tails, number)
        before.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [index]
    chosen: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        chosen.add(last)
        last = before[last]
    return chosen
