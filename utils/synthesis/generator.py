"""The questions of s2: continue a sentence, and explain the entities in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.asking.typical_answers import typical_continuation
from utils.dataset.modes import Task
from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import Tokenisation, text_hash
from utils.llm import Request
from utils.prompts import Prompt
from utils.synthesis.shots import StyleShots

TASK: Literal["explain"] = "explain"  # the name in journals and recordings, for every style
MAX_NEW_TOKENS = 256  # of an answer, by default


class Writer(Protocol):
    """Builds the questions for new sentences, and says what is known about the sentences in the answers."""

    @property
    def task(self) -> Task: ...

    @property
    def tokenisation(self) -> Tokenisation: ...

    @property
    def attempts(self) -> int:
        """The most answers to a question; another one is requested only if a mention is missing."""
        ...

    @property
    def parameters(self) -> dict[str, Any]: ...

    def first_questions(self) -> list[Question]: ...

    def prepared(self, entries: Mapping[AnswerKey, Entry]) -> Writer: ...

    def has_question(self, sentence: Sentence) -> bool: ...

    def question(self, sentence: Sentence, sample: int = 0) -> Question: ...

    def input_hash(self, sentence: Sentence, sample: int = 0) -> str: ...

    def asked(self, sentence: Sentence, sample: int) -> list[str]: ...

    def names(self, sentence: Sentence, sample: int) -> list[str]: ...

    def known_spans(self, sentence: Sentence, sample: int, tokens: Sequence[str]) -> list[Span] | None:
        """Return the spans of the given mentions in a sentence; None if one of them is missing."""
        ...


@dataclass(frozen=True)
class Generator:
    """Builds the questions that ask an LLM for new sentences."""

    prompt: Prompt
    tokenisation: Tokenisation
    sampling: SamplingSettings
    max_new_tokens: int = MAX_NEW_TOKENS
    shots: StyleShots | None = None

    task = TASK
    attempts = 1

    def first_questions(self) -> list[Question]:
        """Return the questions that are asked before the first round: none."""
        return []

    def prepared(self, entries: Mapping[AnswerKey, Entry]) -> Generator:
        """Return the generator that uses the answers to the first questions."""
        return self

    def has_question(self, sentence: Sentence) -> bool:
        """Return whether a sentence has an entity to explain."""
        return bool(sentence.spans)

    def asked(self, sentence: Sentence, sample: int) -> list[str]:
        """Return the entities of a question with their labels."""
        return asked_entities(sentence, tokenisation=self.tokenisation)

    def names(self, sentence: Sentence, sample: int) -> list[str]:
        """Return the entities of a question without their labels."""
        return asked_names(sentence, tokenisation=self.tokenisation)

    def known_spans(self, sentence: Sentence, sample: int, tokens: Sequence[str]) -> list[Span]:
        """Return the spans whose labels are known: none, because the LLM chooses what it mentions, and where."""
        return []

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return a question about a sentence. Each sample has a different seed."""
        asked = ", ".join(asked_entities(sentence, tokenisation=self.tokenisation))
        text = self.tokenisation.join(sentence.tokens)
        examples = self.shots.lines(sentence, sample) if self.shots else ""
        prompt = self.prompt.fill({"entities": asked, "sentence": text, "examples": examples})
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(sentence.id, TASK, prompt, self.max_new_tokens, sampling, sample=sample)
        typical = typical_continuation(text, tokenisation=self.tokenisation)
        return Question(request, self.input_hash(sentence, sample), typical)

    def input_hash(self, sentence: Sentence, sample: int = 0) -> str:
        """Return the SHA-256 of what the prompt shows of the dataset: text, spans and labels, and the shots."""
        spans = [f"{span.start} {span.end} {span.label}" for span in sentence.spans]
        shots = [self.shots.lines(sentence, sample)] if self.shots else []
        return hashlib.sha256("\n".join([text_hash(sentence.tokens), *spans, *shots]).encode()).hexdigest()

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that change an answer, for the fingerprint."""
        return {
            "task": TASK,
            "prompt": self.prompt.digest,
            "dense": self.tokenisation.is_dense,
            "decoding": self.sampling.parameters,
            "max_new_tokens": self.max_new_tokens,
            **({"shots": self.shots.parameters} if self.shots else {}),
        }


def asked_names(sentence: Sentence, *, tokenisation: Tokenisation) -> list[str]:
    """Return the distinct mentions of a sentence, without labels."""
    return list(dict.fromkeys(tokenisation.join(sentence.tokens[span.start : span.end]) for span in sentence.spans))


def asked_entities(sentence: Sentence, *, tokenisation: Tokenisation) -> list[str]:
    """Return the distinct mentions of a sentence with their labels, as in `邓超(PER.NAM)`."""
    asked = (f"{tokenisation.join(sentence.tokens[span.start : span.end])}({span.label})" for span in sentence.spans)
    return list(dict.fromkeys(asked))
