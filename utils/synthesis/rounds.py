"""Turn the journal of s2 into new sentences, round by round. Each piece is kept, or dropped with a reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question
from utils.dataset.records import Sentence
from utils.files.jsonl import JsonObject
from utils.placing import TokenIndex
from utils.synthesis.candidates import Candidate
from utils.synthesis.cleaning import Cleaner, Piece
from utils.synthesis.copies.finder import CopyFinder
from utils.synthesis.copies.near_duplicates import repeated_share, shared_share
from utils.synthesis.counts import SynthesisCounts
from utils.synthesis.generator import Writer
from utils.synthesis.habits.measures import StyleMeter
from utils.synthesis.habits.rules import DropReason
from utils.synthesis.quota import KnownNgrams, Quota

MAX_SHARED = 0.5  # share of a sentence's n-grams that are in its source; from here on it is a copy


class Synthesis:
    """Makes new sentences from the answers in a journal. The order of the answers does not change the result.

    Each round is taken as a whole, in the order of the sentences. So more rounds never change or renumber the sentences
    of earlier rounds. The first round of a size is the same with and without the sentences outside that size, except
    for repeated sentences.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        generator: Writer,
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
        self.copies = CopyFinder(texts, cleaner.with_sentences(held_out), tokenisation=generator.tokenisation)
        self._ngrams = KnownNgrams(texts, tokenisation=generator.tokenisation)
        self._meter = StyleMeter(texts, cleaner.writing.scripts, is_dense=generator.tokenisation.is_dense)
        self._share_of_new = 1.0
        self._rounds: list[list[Candidate]] = []
        self._answered: Counter[str] = Counter()  # sentence id -> answers

    @property
    def wants_more(self) -> bool:
        """Whether to ask another round."""
        return not self.quota.is_enough(rounds=self.num_rounds, kept=self.num_kept, share_of_new=self._share_of_new)

    @property
    def num_rounds(self) -> int:
        """The number of rounds that were taken so far."""
        return len(self._rounds)

    @property
    def num_kept(self) -> int:
        """The number of sentences that are kept so far."""
        return sum(one.is_kept for round_ in self._rounds for one in round_)

    @property
    def num_answers(self) -> int:
        """The number of answers that were read so far."""
        return self._answered.total()

    def questions(self, limit: int | None = None, *, ahead: int = 0) -> list[Question]:
        """Return the questions of the next round about the first `limit` sentences. Rare labels come first.

        With `ahead`, they are those of a round that comes this many rounds later.
        """
        weights, round_ = self.quota.weights, self.num_rounds + ahead
        asked = [sentence for sentence in self.sentences[:limit] if self.generator.has_question(sentence)]
        asked.sort(key=lambda sentence: -weights.get(sentence.id, 1.0))
        samples = ((sentence, sample) for sentence in asked for sample in self.quota.samples(sentence.id, round_))
        return [self.generator.question(sentence, sample * self.generator.attempts) for sentence, sample in samples]

    def prepare(self, entries: Mapping[AnswerKey, Entry]) -> None:
        """Use the answers to the writer's first questions."""
        self.generator = self.generator.prepared(entries)

    def repeated_questions(self, entries: Mapping[AnswerKey, Entry]) -> list[Question]:
        """Return the questions of the next round to ask once more, because a given mention is not in the answer."""
        if self.generator.attempts == 1:
            return []
        answered = ((sentence, self._attempts(sentence, sample, entries)) for sentence, sample in self._samples())
        return [
            self.generator.question(sentence, attempts[-1].sample + 1)
            for sentence, attempts in answered
            if 0 < len(attempts) < self.generator.attempts and not self._has_mentions(sentence, attempts[-1])
        ]

    def take_round(self, entries: Mapping[AnswerKey, Entry]) -> None:
        """Read the answers of the next round, which are among the entries of a journal."""
        round_ = [one for sentence, entry in self._answers(entries) for one in self._candidates(sentence, entry)]
        self._rounds.append(round_)
        self._share_of_new = self._ngrams.add_round(one.piece.tokens for one in round_ if one.is_kept)

    def result(self) -> tuple[list[JsonObject], list[JsonObject], SynthesisCounts]:
        """Return the rows of kept sentences by source and number, the rows of dropped ones, and the counts."""
        candidates = [*(one for round_ in self._rounds[:-1] for one in round_), *self._last_round()]
        kept, dropped = ([one for one in candidates if one.is_kept is wanted] for wanted in (True, False))
        by_source: dict[str, list[JsonObject]] = defaultdict(list)
        for one in kept:
            rows = by_source[one.source.id]
            rows.append(one.as_row(len(rows) + 1))
        rows = [row for sentence in self.sentences for row in by_source[sentence.id]]
        return rows, [one.as_dropped_row() for one in dropped], self._counts(candidates)

    def _samples(self) -> Iterator[tuple[Sentence, int]]:
        """Yield the sentences and the sample numbers of the next round."""
        for sentence in self.sentences:
            if self.generator.has_question(sentence):
                for sample in self.quota.samples(sentence.id, self.num_rounds):
                    yield sentence, sample

    def _answers(self, entries: Mapping[AnswerKey, Entry]) -> Iterator[tuple[Sentence, Entry]]:
        """Yield the last answer to each question of the next round, and count the answers."""
        for sentence, sample in self._samples():
            if attempts := self._attempts(sentence, sample, entries):
                self._answered[sentence.id] += len(attempts)
                yield sentence, attempts[-1]

    def _attempts(self, sentence: Sentence, sample: int, entries: Mapping[AnswerKey, Entry]) -> list[Entry]:
        """Return the recorded answers to a question, up to the first one that has the given mentions."""
        writer = self.generator
        found: list[Entry] = []
        for number in range(sample * writer.attempts, (sample + 1) * writer.attempts):
            entry = entries.get((sentence.id, writer.task, writer.input_hash(sentence, number), number))
            if entry is None:
                break
            found.append(entry)
            if len(found) < writer.attempts and self._has_mentions(sentence, entry):
                break
        return found

    def _has_mentions(self, sentence: Sentence, entry: Entry) -> bool:
        """Return whether a part of an answer contains all given mentions; filters make no difference."""
        tokens = self.cleaner.writing.tokens
        pieces = self._pieces(entry)
        return any(self.generator.known_spans(sentence, entry.sample, tokens(one.text)) is not None for one in pieces)

    def _pieces(self, entry: Entry) -> Iterator[Piece]:
        return self.cleaner.pieces(entry.answer, is_cut=entry.finish == "length")

    def _candidates(self, sentence: Sentence, entry: Entry) -> Iterator[Candidate]:
        for piece in self._pieces(entry):
            candidate = self._candidate(sentence, entry.sample, piece)
            reason = self._reason(candidate) if candidate.is_kept else None
            if reason:
                candidate = candidate.dropped(reason)
            elif candidate.is_kept:
                self.copies.add(piece.tokens)
            yield candidate

    def _candidate(self, sentence: Sentence, sample: int, piece: Piece) -> Candidate:
        index = TokenIndex(piece.tokens)
        asked = tuple(self.generator.asked(sentence, sample))
        mentions = tuple(name for name in self.generator.names(sentence, sample) if index.find(name))
        candidate = Candidate(sentence, sample, piece, asked, mentions)
        known = self.generator.known_spans(sentence, sample, piece.tokens) if candidate.is_kept else []
        if known is None:
            return candidate.dropped("without its mentions")
        return replace(candidate, known=tuple(known))

    def _reason(self, candidate: Candidate) -> DropReason | None:
        return self.copies.reason(candidate.piece.tokens) or self._quality_reason(candidate)

    def _quality_reason(self, candidate: Candidate) -> DropReason | None:
        tokens, tokenisation = candidate.free_tokens, self.generator.tokenisation
        if shared_share(tokens, candidate.source.tokens, tokenisation=tokenisation) >= MAX_SHARED:
            return "nearly copied"
        if repeated_share(candidate.piece.tokens, tokenisation=tokenisation) > self.cleaner.writing.max_repeated:
            return "repeats itself"
        starts = (f"{name}{colon}" for name in candidate.mentions for colon in ":：")
        is_item = not candidate.known and any(map(candidate.piece.text.startswith, starts))
        if is_item and not self.cleaner.writing.lines.keeps_headwords:
            return "a list item"
        return "without an asked entity" if self.require_mention and not candidate.mentions else None

    def _last_round(self) -> list[Candidate]:
        """Return the last round without the sentences beyond the target, which are taken from random answers."""
        last = self._rounds[-1] if self._rounds else []
        surplus = max(0, self.num_kept - self.quota.target) if self.quota.target is not None else 0
        indices = [index for index, one in enumerate(last) if one.is_kept]
        beyond = set(sorted(indices, key=lambda index: (last[index].random_key, -index))[:surplus])
        return [one.dropped("beyond the target") if index in beyond else one for index, one in enumerate(last)]

    def _counts(self, candidates: Sequence[Candidate]) -> SynthesisCounts:
        asked = [sentence for sentence in self.sentences if self.generator.has_question(sentence)]
        answered = sum(sentence.id in self._answered for sentence in asked)
        kept = [one.piece.tokens for one in candidates if one.is_kept]
        return SynthesisCounts(
            asked=answered,
            without_entity=len(self.sentences) - len(asked),
            skipped=len(asked) - answered,
            answers=self.num_answers,
            rounds=len(self._rounds),
            made=len(candidates),
            kept=len(kept),
            dropped=Counter(one.piece.reason for one in candidates if one.piece.reason),
            style=self._meter.measure(kept) if kept else None,
            dataset_style=self._meter.dataset,
        )
