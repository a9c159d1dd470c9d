"""How many answers s2 asks for, when it stops, and how many rounds it is expected to take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from utils.asking.entries import AnswerKey, Entry
from utils.asking.estimate import QuestionPlan
from utils.asking.questions import Question
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.wording import counted

if TYPE_CHECKING:
    from utils.synthesis.rounds import Synthesis

MOST_ROUNDS = 16  # if a target is given and --num_samples is not
MOST_WEIGHT = 4.0  # answers a round
NGRAM = {CHARACTERS: 4, WORDS: 2}  # tokens of an n-gram
# Sentences that are kept of an answer, and those of them that mention an entity (--require_mention). Used as long as
# there are no answers; measured with one small model (benchmarks/README.md).
TYPICALLY_KEPT = {WORDS: 2.3, CHARACTERS: 0.9}
TYPICALLY_MENTIONING = {WORDS: 0.8, CHARACTERS: 0.4}


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


def plan_rounds(synthesis: Synthesis, entries: Mapping[AnswerKey, Entry], *, limit: int | None = None) -> QuestionPlan:
    """Return the questions of a new synthesis, which are about the first `limit` sentences.

    The first questions of a writer come before all rounds. Rounds that the journal answers completely are taken as the
    step takes them. In the later ones, each answer is expected to give as many sentences as the recorded answers do on
    average.
    """
    first = synthesis.generator.first_questions()
    before = [first] if first else []
    is_prepared = all(question.key in entries for question in first)
    if is_prepared:
        synthesis.prepare(entries)
    rounds: list[list[Question]] = []
    missing = 0
    while is_prepared and not missing and synthesis.wants_more and (questions := synthesis.questions(limit)):
        rounds.append(questions)
        synthesis.take_round(entries)
        missing = sum(question.key not in entries for question in questions)
    if is_prepared and not missing:
        return QuestionPlan([*before, *rounds])
    quota, rate = synthesis.quota, _kept_per_answer(synthesis)
    expected = synthesis.num_kept + rate * missing
    while len(rounds) < quota.rounds and not (quota.target and expected >= quota.target):
        rounds.append(synthesis.questions(limit, ahead=len(rounds) - synthesis.num_rounds))
        expected += rate * len(rounds[-1])
    return QuestionPlan([*before, *rounds], _basis(synthesis, len(rounds), rate, expected))


def _kept_per_answer(synthesis: Synthesis) -> float:
    if synthesis.num_answers:
        return synthesis.num_kept / synthesis.num_answers
    typical = TYPICALLY_MENTIONING if synthesis.require_mention else TYPICALLY_KEPT
    return typical[synthesis.generator.tokenisation]


def _basis(synthesis: Synthesis, rounds: int, rate: float, expected: float) -> str | None:
    """Return how the number of rounds was estimated; None if it is known."""
    quota, answers = synthesis.quota, synthesis.num_answers
    earlier = "; --stop_below may end the step earlier" if quota.stop_below else ""
    if not quota.target:
        return f"at most {rounds}{earlier}" if earlier else None
    source = f"as in {counted(answers, 'recorded answer')}" if answers else "a typical number; --time=20 measures it"
    kept = f"if each answer gives {rate:.1f} kept sentences ({source})"
    if expected < quota.target:
        return f"{rounds}, the most, which give about {expected:.0f} of {quota.target} sentences {kept}{earlier}"
    return f"about {rounds} for {quota.target} sentences, {kept}{earlier}"


def _labels(sentence: Sentence) -> set[str]:
    return {span.label for span in sentence.spans}
