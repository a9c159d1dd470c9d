"""The questions of the styles `rewrite` and `names`: a new sentence in which given mentions must occur."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.llm import Request
from utils.prompts import Prompt
from utils.synthesis.rewriting.grammar import sentence_grammar
from utils.synthesis.rewriting.mentions import Mention, choose_mentions, place_mentions, usable_mentions
from utils.synthesis.rewriting.names import NameLists, NamePool
from utils.synthesis.shots import StyleShots
from utils.synthesis.writing_style import WritingStyle

TASK: Literal["rewrite"] = "rewrite"
ATTEMPTS = 3  # answers to a question until one contains all mentions; the first one of a guided model does
MIN_FREE = 10  # characters that are always left for words of the model's own
MAX_CHARACTERS = {CHARACTERS: 150, WORDS: 250}  # longer texts make the masks of a grammar slow


@dataclass(frozen=True)
class Rewriter:
    """Builds the questions that ask an LLM for a sentence with some mentions of its source, or with new ones."""

    prompt: Prompt
    writing: WritingStyle
    sampling: SamplingSettings
    guided: bool = False
    max_new_tokens: int | None = None  # None: from the longest answer
    shots: StyleShots | None = None
    lists: NameLists | None = None  # of new mentions; None: the mentions are those of the source
    pool: NamePool | None = None  # read from the answers to the questions for lists
    _usable: dict[str, list[Mention]] = field(default_factory=dict, repr=False)  # by sentence id: found once

    task = TASK

    @property
    def tokenisation(self) -> Tokenisation:
        """What a token is."""
        return self.writing.tokenisation

    @property
    def attempts(self) -> int:
        """How often a question is asked until an answer contains all mentions; greedy answers do not change."""
        return ATTEMPTS if self.sampling.temperature else 1

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that change an answer, for the fingerprint."""
        return {
            "task": TASK,
            "prompt": self.prompt.digest,
            "dense": self.tokenisation.is_dense,
            "decoding": self.sampling.parameters,
            "guided": self.guided,
            "max_new_tokens": self.max_new_tokens or "from each sentence",
            **({"shots": self.shots.parameters} if self.shots else {}),
            **({"names": self.lists.parameters} if self.lists else {}),
        }

    def first_questions(self) -> list[Question]:
        """Return the questions that are asked before the first round: those for lists of new mentions."""
        return self.lists.questions(self.guided) if self.lists else []

    def prepared(self, entries: Mapping[AnswerKey, Entry]) -> Rewriter:
        """Return the rewriter that uses the answers to the first questions."""
        return replace(self, pool=self.lists.pool(entries)) if self.lists else self

    def has_question(self, sentence: Sentence) -> bool:
        """Return whether a sentence has a mention to write about."""
        return bool(self.mentions(sentence, 0))

    def mentions(self, sentence: Sentence, number: int) -> list[Mention]:
        """Return the mentions that the answer with a sample number must contain."""
        key = f"{self.sampling.seed} {sentence.id} {number // self.attempts}"
        if sentence.id not in self._usable:
            self._usable[sentence.id] = usable_mentions(sentence, self.writing)
        own = choose_mentions(self._usable[sentence.id], key)
        return own if self.pool is None else self.pool.instead_of(own, key)

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return a question about a sentence. Each sample has a different seed."""
        mentions = self.mentions(sentence, sample)
        shortest, longest = self._lengths(sentence, mentions)
        texts = [mention.text for mention in mentions]
        examples = self.shots.lines(sentence, sample) if self.shots else ""
        prompt = self.prompt.fill({"entities": "\n".join(texts), "examples": examples})
        grammar = sentence_grammar(texts, shortest, longest, self.writing) if self.guided else None
        budget = self.max_new_tokens or longest * (3 if self.tokenisation.is_dense else 1)
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(sentence.id, TASK, prompt, budget, sampling, grammar, sample)
        return Question(request, self.input_hash(sentence, sample), self.writing.written(sentence.tokens))

    def input_hash(self, sentence: Sentence, sample: int = 0) -> str:
        """Return the SHA-256 of what the question takes from the dataset: mentions, lengths and shots."""
        mentions = self.mentions(sentence, sample)
        lengths = " ".join(map(str, self._lengths(sentence, mentions)))
        shots = [self.shots.lines(sentence, sample)] if self.shots else []
        return hashlib.sha256("\n".join([lengths, *_asked(mentions), *shots]).encode()).hexdigest()

    def asked(self, sentence: Sentence, sample: int) -> list[str]:
        """Return the mentions of a question with their labels, as in `邓超(PER.NAM)`."""
        return _asked(self.mentions(sentence, sample))

    def names(self, sentence: Sentence, sample: int) -> list[str]:
        """Return the mentions of a question without their labels."""
        return [mention.text for mention in self.mentions(sentence, sample)]

    def known_spans(self, sentence: Sentence, sample: int, tokens: Sequence[str]) -> list[Span] | None:
        """Return the spans of the mentions in an answer's sentence; None if one of them is not in it."""
        return place_mentions(self.mentions(sentence, sample), tokens)

    def _lengths(self, sentence: Sentence, mentions: Sequence[Mention]) -> tuple[int, int]:
        """Return the shortest and the longest sentence to write, in characters: from half to one and a half source."""
        limit = MAX_CHARACTERS[self.tokenisation]
        source = min(len(self.writing.written(sentence.tokens)), limit)
        needed = sum(len(mention.text) + 1 for mention in mentions)
        longest = max(min(source * 3 // 2, limit), needed + MIN_FREE)
        return min(max(source // 2, needed), longest - MIN_FREE // 2), longest


def _asked(mentions: Sequence[Mention]) -> list[str]:
    return [f"{mention.text}({mention.label})" for mention in mentions]
