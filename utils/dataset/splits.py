"""The sizes of a dataset: its first 25 %, 50 % and 100 %, with the synthetic sentences and annotations of each (s4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from utils.dataset.layout import SIZES
from utils.dataset.records import UNKNOWN_SOURCE, Sentence


def first_sentences(sentences: Sequence[Sentence], percent: int) -> Sequence[Sentence]:
    """Return the first `percent` of the sentences, rounded down but at least one."""
    return sentences[: share_of(len(sentences), percent)]


def smallest_size(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return the sentences that every size has. What all sizes share, such as a prompt, may depend on these only."""
    return first_sentences(sentences, min(SIZES.values()))


def share_of(total: int, percent: int) -> int:
    """Return how many of `total` sentences the first `percent` are."""
    return max(1, total * percent // 100)


def made_from(synthetic: Iterable[Sentence], sentences: Iterable[Sentence], *, is_whole: bool) -> list[Sentence]:
    """Return the synthetic sentences made from `sentences`; `is_whole`: these are all sentences of the dataset.

    Sentences of raw text are made from none. They belong to every size.
    """
    number = sum(1 for _ in sentences)
    return [one for one in synthetic if is_made_from(one, number, is_whole=is_whole)]


def is_made_from(synthetic: Sentence, number: int, *, is_whole: bool) -> bool:
    """Return whether a synthetic sentence belongs to the first `number` sentences; `is_whole`: these are all."""
    if synthetic.is_raw or (is_whole and synthetic.source == UNKNOWN_SOURCE):
        return True
    return synthetic.source is not None and 1 <= synthetic.source <= number
