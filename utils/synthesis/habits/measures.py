"""How much the style of new sentences is like that of the dataset, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from utils.synthesis.habits.scripts import Scripts
from utils.synthesis.text.sentence_splitting import has_end_mark

Units = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class StyleMeasures:
    """Numbers about the style of sentences."""

    sentences: int
    tokens: float  # median length
    ended: float  # share with a punctuation mark at the end
    foreign: float  # share in another script
    marks: float  # punctuation marks for each 100 tokens
    known: float  # share of tokens (pairs of characters in dense text) that the dataset has


class StyleMeter:
    """Measures the style of sentences, in comparison with one dataset."""

    def __init__(self, texts: Sequence[Sequence[str]], scripts: Scripts, *, is_dense: bool) -> None:
        self._scripts = scripts
        self._units: Units = _pairs if is_dense else _words
        self._joint = "" if is_dense else " "
        self._counts = Counter(unit for text in texts for unit in set(self._units(text)))
        # A token of the dataset is known if another sentence has it too.
        self.dataset = self._measure(texts, min_count=2)

    def measure(self, texts: Iterable[Sequence[str]]) -> StyleMeasures:
        """Return the measures of new sentences."""
        return self._measure(list(texts), min_count=1)

    def _measure(self, texts: Sequence[Sequence[str]], *, min_count: int) -> StyleMeasures:
        joined = [self._joint.join(text) for text in texts]
        units = [unit for text in texts for unit in self._units(text)]
        tokens = [token for text in texts for token in text]
        return StyleMeasures(
            sentences=len(texts),
            tokens=median(map(len, texts)) if texts else 0,
            ended=_share(map(has_end_mark, joined)),
            foreign=_share(map(self._scripts.is_foreign, joined)),
            marks=round(100 * _share(not any(map(str.isalnum, token)) and bool(token.strip()) for token in tokens), 1),
            known=_share(self._counts[unit] >= min_count for unit in units),
        )


def compared(new: StyleMeasures, dataset: StyleMeasures) -> str:
    """Return the measures of the kept sentences, each with that of the dataset in brackets."""
    return (
        f"style of the kept sentences (of the dataset): median length {new.tokens:g} ({dataset.tokens:g}), "
        f"{new.ended:.0%} end with a punctuation mark ({dataset.ended:.0%}), "
        f"{new.foreign:.0%} in another script ({dataset.foreign:.0%}), "
        f"{new.marks:g} punctuation marks per 100 tokens ({dataset.marks:g}), "
        f"{new.known:.0%} known tokens ({dataset.known:.0%})"
    )


def _share(values: Iterable[bool]) -> float:
    given = list(values)
    return round(sum(given) / len(given), 4) if given else 0.0


def _words(tokens: Sequence[str]) -> Sequence[str]:
    return [token.lower() for token in tokens if any(map(str.isalnum, token))]


def _pairs(tokens: Sequence[str]) -> Sequence[str]:
    return [left + right for left, right in pairwise(tokens)]
