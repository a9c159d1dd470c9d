"""An index that finds the sentences with the most similar words or, in dense text, pairs of characters."""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from utils.dataset.tokens import Tokenisation, without_spaces

# Entries of the index that one search reads at most. Frequent features are left out if they do not fit: they have the
# lowest weights. Pools of a few thousand sentences are searched completely; with 100,000, a search takes a few ms.
MAX_ENTRIES = 10_000


class SentenceIndex:
    """Ranks sentences by the cosine of their tf-idf vectors. Its features are words or pairs of characters."""

    def __init__(self, sentences: Sequence[Sequence[str]], tokenisation: Tokenisation) -> None:
        self._tokenisation = tokenisation
        vectors = [self._features(tokens) for tokens in sentences]
        frequency = Counter(feature for vector in vectors for feature in vector)
        self._idf = {feature: math.log(len(vectors) / number) + 1 for feature, number in frequency.items()}
        # Feature -> the sentences that have it, and its weight in each. Arrays need a tenth of the memory of lists.
        self._entries = {feature: (array("I"), array("d")) for feature in frequency}
        for number, vector in enumerate(vectors):
            weights = {feature: count * self._idf[feature] for feature, count in vector.items()}
            norm = math.hypot(*weights.values())
            for feature, weight in weights.items():
                sentences_with, weights_in = self._entries[feature]
                sentences_with.append(number)
                weights_in.append(weight / norm)

    def nearest(self, tokens: Sequence[str], number: int, is_allowed: Callable[[int], bool]) -> list[int]:
        """Return the numbers (from 0) of the most similar allowed sentences, the most similar first.

        Of equally similar sentences, the earlier ones are taken. Sentences that have nothing in common with `tokens`
        are not returned, so there may be fewer than `number`.
        """
        ranked = ((-score, one) for one, score in self._scores(tokens).items() if is_allowed(one))
        return [one for _, one in heapq.nsmallest(number, ranked)]

    def _scores(self, tokens: Sequence[str]) -> dict[int, float]:
        """Return the cosines, up to a common factor."""
        query = {feature: count for feature, count in self._features(tokens).items() if feature in self._entries}
        scores: dict[int, float] = defaultdict(float)
        left = MAX_ENTRIES
        for feature in sorted(query, key=lambda one: (len(self._entries[one][0]), one)):
            sentences, weights = self._entries[feature]
            left -= len(sentences)
            if left < 0 and scores:
                break
            weight = query[feature] * self._idf[feature]
            for sentence, weight_in in zip(sentences[:MAX_ENTRIES], weights, strict=False):
                scores[sentence] += weight * weight_in
        return scores

    def _features(self, tokens: Sequence[str]) -> Counter[str]:
        if not self._tokenisation.is_dense:
            return Counter(token.casefold() for token in tokens if token.strip())
        text = without_spaces("".join(tokens)).casefold()
        return Counter(text[at : at + 2] for at in range(max(1, len(text) - 1)))
