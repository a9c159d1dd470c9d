"""How many answers s2 asks for, and when it stops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation

MOST_ROUNDS = 16  # if a target is given and --num_samples is not
MOST_WEIGHT = 4.0  # answers a round
NGRAM = {CHARACTERS: 4, WORDS: 2}  # tokens of an n-gram


@dataclass(frozen=True)
class Quota:
    """How many rounds to ask for. In each, every sentence gets one answer, or more if its labels are rare."""

    rounds: int = 1
    target: int | None = None  # new sentences
    stop_below: float = 0.0  # share of new n-grams in the sentences of a round
    weights: Mapping[str, float] = field(default_factory=dict)  # sentence id -> answers a round; 1 if it is not given

    def samples(self, id_: str, round_: int) -> range:
        """Return the sample numbers of a sentence in a round."""
        weight = self.weights.get(id_, 1.0)
        return range(math.ceil(round_ * weight), math.ceil((round_ + 1) * weight))

    def is_enough(self, *, rounds: int, kept: int, share_of_new: float) -> bool:
        """Return whether to stop after `rounds` whole rounds."""
        reached = self.target is not None and kept >= self.target
        return rounds >= self.rounds or reached or share_of_new < self.stop_below


def rare_weights(parts: Iterable[Sequence[Sentence]]) -> dict[str, float]:
    """Return the answers a round for each sentence id: more than 1 if one of its labels is rarer than the mean label.

    The weight is the square root of mean count / label count (repeat factors: Gupta et al. 2019, arXiv 1908.03195),
    at most 4. `parts` are the dataset's sizes, smallest first. A sentence is weighed in the first size that contains
    it, so that no size depends on sentences outside it.
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
    """The token n-grams seen so far, which show how much of a round is new."""

    def __init__(self, texts: Iterable[Sequence[str]], *, tokenisation: Tokenisation) -> None:
        self._length = NGRAM[tokenisation]
        self._known = {ngram for text in texts for ngram in self._ngrams(text)}

    def add_round(self, texts: Iterable[Sequence[str]]) -> float:
        """Add the texts of a round, and return the share of their n-grams that were new."""
        ngrams = {ngram for text in texts for ngram in self._ngrams(text)}
        new = ngrams - self._known
        self._known |= new
        return len(new) / len(ngrams) if ngrams else 0.0

    def _ngrams(self, text: Sequence[str]) -> list[tuple[str, ...]]:
        folded = [token.casefold() for token in text]
        return [tuple(folded[start : start + self._length]) for start in range(len(folded) - self._length + 1)]


def _labels(sentence: Sentence) -> set[str]:
    return {span.label for span in sentence.spans}
