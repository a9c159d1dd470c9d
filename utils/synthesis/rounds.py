"""From the journal of s2 to new sentences: round by round, each piece taken or dropped with its reason."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utils.asking.journal import Entry, Journal
from utils.asking.questions import Question
from utils.asking.step import LLMStep
from utils.dataset.records import Sentence
from utils.placing import TokenIndex
from utils.synthesis.cleaning import Cleaner, Piece, Reason
from utils.synthesis.counts import SynthesisCounts
from utils.synthesis.generator import TASK, Generator, asked_entities, asked_names, input_hash
from utils.synthesis.near_duplicates import KnownTexts, repeated_share, shared_share
from utils.synthesis.quota import KnownNgrams, Quota

TAKEN_OVER = 0.5  # share of a sentence's stretches that stand in its source: at least this is no new sentence
REPEATED = 0.25  # share of a sentence's stretches that it has said before: more is a loop

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Candidate:
    """A piece of an answer, and what it was made from."""

    source: Sentence
    sample: int
    piece: Piece
    mentions: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        return self.piece.reason is None

    def without(self, reason: Reason) -> Candidate:
        """Return it as dropped."""
        return replace(self, piece=replace(self.piece, reason=reason))


class Synthesis:
    """New sentences, made of a journal's answers alone: whatever the order in which they came.

    A round is taken as a whole, by the order of the sentences. So asking for more rounds never changes nor renumbers
    what earlier ones gave, and the first round of a size is the same with and without the sentences outside it, but for
    those that repeat one of them.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        generator: Generator,
        cleaner: Cleaner,
        *,
        held_out: Iterable[Sequence[str]],
        quota: Quota,
        require_mention: bool = False,
    ) -> None:
        self.sentences = sentences
        self.generator = generator
        self.cleaner = cleaner
        self.quota = quota
        self.require_mention = require_mention
        texts = [sentence.tokens for sentence in sentences]
        self._dataset = KnownTexts(texts, dense=generator.dense)
        self._held_out = KnownTexts(cleaner.with_sentences(held_out), dense=generator.dense)
        self._new = KnownTexts(dense=generator.dense)
        self._stock = KnownNgrams(texts, dense=generator.dense)
        self._share_of_new = 1.0
        self._made: list[list[Candidate]] = []  # by round
        self._answered: Counter[str] = Counter()  # by sentence

    @property
    def wants_more(self) -> bool:
        """Tell whether another round is to be asked for."""
        kept = sum(made.is_kept for round_ in self._made for made in round_)
        return not self.quota.is_enough(rounds=len(self._made), kept=kept, share_of_new=self._share_of_new)

    def questions(self, limit: int | None = None) -> list[Question]:
        """Return the next round's questions about the first `limit` sentences, those with rare labels first."""
        weights, round_ = self.quota.weights, len(self._made)
        asked = [sentence for sentence in self.sentences[:limit] if sentence.spans]
        asked.sort(key=lambda sentence: -weights.get(sentence.id, 1.0))
        samples = ((sentence, sample) for sentence in asked for sample in self.quota.samples(sentence.id, round_))
        return [self.generator.question(sentence, sample) for sentence, sample in samples]

    def take_round(self, journal: Journal) -> None:
        """Take the next round's answers."""
        round_ = [made for sentence, entry in self._answers(journal) for made in self._pieces(sentence, entry)]
        self._made.append(round_)
        self._share_of_new = self._stock.add_round(made.piece.tokens for made in round_ if made.is_kept)

    def result(self) -> tuple[Rows, Rows, SynthesisCounts]:
        """Return the lines of what is kept, by source and number, those of what is dropped, and the counts."""
        made = [*(made for round_ in self._made[:-1] for made in round_), *self._last_round()]
        kept, dropped = ([one for one in made if one.is_kept is wanted] for wanted in (True, False))
        by_source: dict[str, Rows] = defaultdict(list)
        for one in kept:
            rows = by_source[one.source.id]
            rows.append(_row(one, len(rows) + 1, dense=self.generator.dense))
        rows = [row for sentence in self.sentences for row in by_source[sentence.id]]
        return rows, [_dropped_row(one) for one in dropped], self._counts(made)

    def _answers(self, journal: Journal) -> Iterator[tuple[Sentence, Entry]]:
        for sentence in self.sentences:
            for sample in self.quota.samples(sentence.id, len(self._made)) if sentence.spans else ():
                if entry := journal.entries.get((sentence.id, TASK, input_hash(sentence), sample)):
                    self._answered[sentence.id] += 1
                    yield sentence, entry

    def _pieces(self, sentence: Sentence, entry: Entry) -> Iterator[Candidate]:
        for piece in self.cleaner.pieces(entry.answer, is_cut=entry.finish == "length"):
            index = TokenIndex(piece.tokens)
            names = asked_names(sentence, dense=self.generator.dense)
            made = Candidate(sentence, entry.sample, piece, tuple(name for name in names if index.find(name)))
            reason = self._reason(made) if made.is_kept else None
            if reason:
                made = made.without(reason)
            elif made.is_kept:
                self._new.add(piece.tokens)
            yield made

    def _reason(self, made: Candidate) -> Reason | None:
        tokens = made.piece.tokens
        if likeness := self._held_out.likeness(tokens, one_edit=True):
            return "near dev or test" if likeness == "near" else "in dev or test"
        if likeness := self._dataset.likeness(tokens):
            return "nearly copied" if likeness == "near" else "copied"
        if likeness := self._new.likeness(tokens):
            return "nearly repeated" if likeness == "near" else "repeated"
        return self._quality_reason(made)

    def _quality_reason(self, made: Candidate) -> Reason | None:
        tokens, dense = made.piece.tokens, self.generator.dense
        if shared_share(tokens, made.source.tokens, dense=dense) >= TAKEN_OVER:
            return "nearly copied"
        if repeated_share(tokens, dense=dense) > REPEATED:
            return "repeats itself"
        if any(made.piece.text.startswith(f"{name}{colon}") for name in made.mentions for colon in ":："):
            return "a list item"
        return "without an asked entity" if self.require_mention and not made.mentions else None

    def _last_round(self) -> list[Candidate]:
        """Return the last round without what goes beyond the target: whole answers by lot, and the end of one more."""
        last = self._made[-1] if self._made else []
        kept = sum(one.is_kept for round_ in self._made for one in round_)
        surplus = max(0, kept - self.quota.target) if self.quota.target is not None else 0
        places = [place for place, one in enumerate(last) if one.is_kept]
        beyond = set(sorted(places, key=lambda place: (_lot(last[place]), -place))[:surplus])
        return [one.without("beyond the target") if place in beyond else one for place, one in enumerate(last)]

    def _counts(self, made: Sequence[Candidate]) -> SynthesisCounts:
        asked = [sentence for sentence in self.sentences if sentence.spans]
        answered = sum(sentence.id in self._answered for sentence in asked)
        return SynthesisCounts(
            asked=answered,
            without_entity=len(self.sentences) - len(asked),
            skipped=len(asked) - answered,
            answers=self._answered.total(),
            rounds=len(self._made),
            made=len(made),
            kept=sum(one.is_kept for one in made),
            dropped=Counter(one.piece.reason for one in made if one.piece.reason),
        )


def _lot(made: Candidate) -> str:
    """Return what puts answers in an order that prefers no sentence."""
    return hashlib.sha256(f"{made.source.id} {made.sample}".encode()).hexdigest()


def _row(made: Candidate, number: int, *, dense: bool) -> dict[str, Any]:
    return {
        "id": f"{made.source.id}-{number}",
        "source": int(made.source.id),
        "text": list(made.piece.tokens),
        "entities": [],
        "synthetic": True,
        "asked": asked_entities(made.source, dense=dense),
        "mentions": list(made.mentions),
    }


def _dropped_row(made: Candidate) -> dict[str, Any]:
    return {
        "source": int(made.source.id),
        "sample": made.sample,
        "text": made.piece.text,
        "reason": made.piece.reason,
    }


def synthesise(synthesis: Synthesis, step: LLMStep, *, limit: int | None = None) -> tuple[Rows, SynthesisCounts]:
    """Ask about the first `limit` sentences in as many rounds as are wanted, and publish the sentences that are kept.

    Returns the lines of what was dropped, and the counts.
    """
    with step.start() as run:
        while synthesis.wants_more and (questions := synthesis.questions(limit)):
            run.ask(questions)
            synthesis.take_round(run.journal)
        rows, dropped, counts = synthesis.result()
        run.publish(rows, counts)
    return dropped, counts
