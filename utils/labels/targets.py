"""The target labels of a dataset, recognised in the spellings of an LLM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utils.labels.spelling import plain


@dataclass(frozen=True)
class TargetLabels:
    """Finds the target label that an LLM means."""

    exact: frozenset[str]
    by_spelling: Mapping[str, str]  # plain spelling -> label; without spellings that two labels share

    @classmethod
    def of(cls, labels: Sequence[str]) -> TargetLabels:
        """Return the target labels of a dataset; `labels` do not include "O"."""
        shared = Counter(plain(label) for label in labels)
        return cls(frozenset(labels), {plain(label): label for label in labels if shared[plain(label)] == 1})

    def canonical(self, spelling: str) -> str | None:
        """Return the label as the dataset writes it, or None if it is not a label of the dataset.

        Differences of case, width, spaces and punctuation are ignored.
        """
        return spelling if spelling in self.exact else self.by_spelling.get(plain(spelling))
