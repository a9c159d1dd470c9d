"""How many answers each sentence gets, and when there are enough new sentences (s2)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from utils.dataset.records import Sentence

MOST_ROUNDS = 16  # with a target, and no number of answers given
MOST_WEIGHT = 4.0
STRETCH = {True: 4, False: 2}  # tokens of what counts as a span when new ones are counted: characters, or words


@dataclass(frozen=True)
class Quota:
    """What is asked for in rounds: in each, every sentence gets one answer, or more where its labels are rare."""

    rounds: int = 1
    target: int | None = None  # new sentences
    stop_below: float = 0.0  # share of new spans in a round's sentences
    weights: Mapping[str, float] = field(default_factory=dict)  # answers a round, by sentence; 1 where it has none

    def samples(self, id_: str, round_: int) -> range:
        """Return the numbers of the answers that a sentence gets in a round."""
        weight = self.weights.get(id_, 1.0)
        return range(math.ceil(round_ * weight), math.ceil((round_ + 1) * weight))

    def is_enough(self, *, rounds: int, kept: int, share_of_new: float) -> bool:
        """Tell whether to stop behind so many whole rounds."""
        reached = self.target is not None and kept >= self.target
        return rounds >= self.rounds or reached or share_of_new < self.stop_below


def rare_weights(parts: Iterable[Sequence[Sentence]]) -> dict[str, float]:
    """Return how many answers a round each sentence gets: more where one of its labels is rarer than the mean label.

    The square root of how much rarer (repeat factors: Gupta et al. 2019, arXiv 1908.03195), at most 4. `parts` are
    the dataset's sizes, smallest first: a sentence is weighed within the first that holds it, so that nothing of a
    size depends on sentences outside it.
    """
    weights: dict[str, float] = {}
    for sentences in parts:
        counts = Counter(label for sentence in sentences for label in _labels(sentence))
        mean = counts.total() / len(counts) if counts else 0.0
        for sentence in sentences:
            if sentence.id not in weights:
                rarest = min((counts[label] for label in _labels(sentence)), default=mean)
                weights[sentence.id] = min(MOST_WEIGHT, max(1.0, math.sqrt(mean / rarest))) if rarest else 1.0
    return weights


class KnownNgrams:
    """The stretches of tokens that are known: what tells how much a round still brings that is new."""

    def __init__(self, texts: Iterable[Sequence[str]], *, dense: bool) -> None:
        self._length = STRETCH[dense]
        self._known = {stretch for text in texts for stretch in self._stretches(text)}

    def add_round(self, texts: Iterable[Sequence[str]]) -> float:
        """Make a round's texts known; return the share of their stretches that were new."""
        stretches = {stretch for text in texts for stretch in self._stretches(text)}
        new = stretches - self._known
        self._known |= new
        return len(new) / len(stretches) if stretches else 0.0

    def _stretches(self, text: Sequence[str]) -> list[tuple[str, ...]]:
        folded = [token.casefold() for token in text]
        return [tuple(folded[at : at + self._length]) for at in range(len(folded) - self._length + 1)]


def _labels(sentence: Sentence) -> set[str]:
    return {span.label for span in sentence.spans}
