"""Copies and near copies of known sentences: those of the dataset, of dev and test, and earlier new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from utils.dataset.tokens import Tokenisation
from utils.synthesis.copies.near_duplicates import KnownTexts

CopyReason = Literal["copied", "nearly copied", "repeated", "nearly repeated", "in dev or test", "near dev or test"]


class CopyFinder:
    """Finds copies of the dataset's sentences, of the `held_out` ones, and of the new sentences that were added."""

    def __init__(
        self, dataset: Iterable[Sequence[str]], held_out: Iterable[Sequence[str]], *, tokenisation: Tokenisation
    ) -> None:
        self._dataset = KnownTexts(dataset, tokenisation=tokenisation)
        self._held_out = KnownTexts(held_out, tokenisation=tokenisation)
        self._new = KnownTexts(tokenisation=tokenisation)

    def add(self, tokens: Sequence[str]) -> None:
        """Add a new sentence, which later ones are compared with."""
        self._new.add(tokens)

    def reason(self, tokens: Sequence[str]) -> CopyReason | None:
        """Return why a sentence is a copy, or None if it is new."""
        if likeness := self._held_out.likeness(tokens, one_edit=True):
            return "near dev or test" if likeness == "near" else "in dev or test"
        if likeness := self._dataset.likeness(tokens):
            return "nearly copied" if likeness == "near" else "copied"
        if likeness := self._new.likeness(tokens):
            return "nearly repeated" if likeness == "near" else "repeated"
        return None
