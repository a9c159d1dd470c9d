"""Similar shots: the annotated sentences that are most similar to a sentence, shown in the prompt about it.

No shot leaks into a size. A sentence is only shown sentences that belong to each size that it belongs to itself: with
1,000 sentences, sentence 17 and what s2 made from it are shown sentences 1 to 250, and sentence 600 may be shown any.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from utils.annotation.few_shot import Shot, ShotFormat, Shots, sorted_gold_spans
from utils.annotation.targets.sentence_index import SentenceIndex
from utils.dataset.layout import SIZES
from utils.dataset.records import UNKNOWN_SOURCE, Sentence
from utils.dataset.splits import first_sentences, share_of
from utils.dataset.tokens import same_text_key

SMALLEST, WHOLE = min(SIZES.values()), max(SIZES.values())  # in percent of the sentences


@dataclass(frozen=True)
class ShotPool:
    """The sentences of one size as shots, with their index."""

    shots: Sequence[Shot]
    index: SentenceIndex
    filling: Sequence[int]  # numbers of the shots, those with an entity first

    def nearest(self, sentence: Sentence, number: int, left_out: Collection[str]) -> list[Shot]:
        """Return the most similar shots to a sentence, the most similar last; never those with its text.

        Where too few sentences have anything in common with it, the first ones of the pool are taken.
        """
        keys = {same_text_key(sentence.tokens), *left_out}
        found: dict[str, Shot] = {}  # by key, so that no text is shown twice

        def is_new(one: int) -> bool:
            return self.shots[one].key not in keys

        nearest = self.index.nearest(sentence.tokens, 2 * number, is_new)
        for one in chain(nearest, filter(is_new, self.filling)):
            if len(found) == number:
                break
            found.setdefault(self.shots[one].key, self.shots[one])
        return list(found.values())[::-1]


@dataclass(frozen=True)
class SimilarShots:
    """The sentences of a dataset as shots, and how many of them a prompt shows."""

    sentences: Sequence[Sentence]
    shot_format: ShotFormat
    number: int
    fixed: Shots | None = None  # shots that prompts show already, and which are not repeated
    is_held_out: bool = False  # the questions are about dev or test, which belong to no size
    _pools: dict[int, ShotPool] = field(default_factory=dict, compare=False, repr=False)  # by percent, once needed
    _shown: dict[Sentence, list[Shot]] = field(default_factory=dict, compare=False, repr=False)

    def shown_for(self, sentence: Sentence) -> list[Shot]:
        """Return the shots in the prompt for a sentence, the most similar last."""
        if sentence not in self._shown:
            pool = self._pool(self._percent(sentence))
            fixed = [shot.key for shot in self.fixed.shown_for(sentence)] if self.fixed else []
            self._shown[sentence] = pool.nearest(sentence, self.number, fixed)
        return self._shown[sentence]

    def text_for(self, sentence: Sentence) -> str:
        """Return the text of the shots in the prompt for a sentence, each after an empty line."""
        return "".join(f"\n{shot.text}" for shot in self.shown_for(sentence))

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that belong to a result's fingerprint. The shots are part of each question instead."""
        return {"number": self.number}

    def _percent(self, sentence: Sentence) -> int:
        """Return the smallest size that a sentence belongs to.

        Raw sentences belong to every size, and those of an unknown source to the largest one.
        """
        number = sentence.source if sentence.is_synthetic else int(sentence.id)
        if number is None or self.is_held_out:
            return SMALLEST
        if number == UNKNOWN_SOURCE:
            return WHOLE
        total = len(self.sentences)
        return next((one for one in sorted(SIZES.values()) if number <= share_of(total, one)), WHOLE)

    def _pool(self, percent: int) -> ShotPool:
        """Return the shots of a size. Only its sentences decide how frequent a word is."""
        if percent not in self._pools:
            share = first_sentences(self.sentences, percent)
            shots = [self.shot_format.shot(sentence, sorted_gold_spans(sentence)) for sentence in share]
            index = SentenceIndex([sentence.tokens for sentence in share], self.shot_format.tokenisation)
            filling = sorted(range(len(share)), key=lambda number: not share[number].spans)
            self._pools[percent] = ShotPool(shots, index, filling)
        return self._pools[percent]
