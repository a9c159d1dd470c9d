"""Questions to an LLM: ask those that the journal does not answer yet, and record each answer at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from utils.asking.entries import AnswerKey, Entry, token_count
from utils.asking.journal import Journal
from utils.asking.thoughts import is_all_thought, without_thoughts
from utils.compute.progress import Progress
from utils.llm.base import LLM, Answer, Request
from utils.llm.prices import Prices


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the SHA-256 of the sentence's part in it: a changed sentence is a new question."""

    request: Request
    input: str
    typical_answer: str = ""  # as long as usual answers to this question; used by estimates only

    @property
    def key(self) -> AnswerKey:
        """Return the key of the answer in the journal."""
        return self.request.id, self.request.task, self.input, self.request.sample


@dataclass(frozen=True, slots=True)
class Usage:
    """What answers have used: tokens, retries and seconds. Cached tokens are prompt tokens, thoughts answer tokens."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retries: int = 0  # how often a server had to be asked again
    asking_seconds: float = 0.0  # without the time to load the model
    cached_tokens: int = 0  # of the prompt tokens
    thought_tokens: int = 0  # of the answer tokens
    all_thought: int = 0  # answers that are thoughts alone, cut off before their end

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Usage:
        """Return the answers, answer tokens and seconds of a line of the run log; none if they are no numbers."""
        answers, tokens, seconds = row.get("answers"), row.get("answer_tokens"), row.get("asking_seconds")
        if isinstance(answers, int) and isinstance(tokens, int) and isinstance(seconds, float) and seconds > 0:
            return cls(answers=answers, answer_tokens=tokens, asking_seconds=seconds)
        return cls()

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.answers + other.answers,
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.retries + other.retries,
            round(self.asking_seconds + other.asking_seconds, 6),
            self.cached_tokens + other.cached_tokens,
            self.thought_tokens + other.thought_tokens,
            self.all_thought + other.all_thought,
        )

    def cost(self, prices: Prices) -> float:
        """Return what the answers cost."""
        return prices.cost(self.prompt_tokens, self.answer_tokens, self.cached_tokens)

    def describe(self, prices: Prices | None) -> str:
        """Return the tokens of the answers, and their cost if the prices are known, in words."""
        cached = f" ({self.cached_tokens:,} cached)" if self.cached_tokens else ""
        thoughts = f" ({self.thought_tokens:,} of thoughts)" if self.thought_tokens else ""
        cost = f", cost {self.cost(prices):.4f}" if prices else ""
        return f"{self.prompt_tokens:,} prompt tokens{cached} and {self.answer_tokens:,} answer tokens{thoughts}{cost}"

    @property
    def tokens_per_second(self) -> float | None:
        """Return how many answer tokens came per second, over all parallel answers; None if nothing was asked."""
        return round(self.answer_tokens / self.asking_seconds, 1) if self.asking_seconds else None


def ask(
    questions: Sequence[Question], journal: Journal, load: Callable[[], LLM], *, title: str, answered: int = 0
) -> Iterator[Usage]:
    """Ask the questions that the journal does not answer; yield the usage of each answer once it is in the journal.

    The model is loaded only if there is a question to ask. The progress includes `answered` other questions.
    """
    missing = {question.request: question for question in questions if question.key not in journal.entries}
    if not missing:
        return
    # The time left is estimated from the answers' token budgets: batches are sorted, so long answers may come first.
    budget = sum(request.max_new_tokens for request in missing)
    total = answered + len(questions)
    tokens = 0
    with Progress(title, total=total, done=total - len(missing), unit="answer", work=budget) as progress:
        llm = load()
        progress.start()  # loading does not count
        before = time.monotonic()
        for answer in map(as_recorded, llm.generate(list(missing))):
            journal.append([entry_of(answer, missing[answer.request], journal.fingerprint)])
            tokens += answer.answer_tokens
            speed = f"{tokens / max(progress.seconds, 1e-9):.0f} tokens/s"
            progress.advance(work=answer.request.max_new_tokens, note=speed)
            now = time.monotonic()
            yield usage_of(answer, now - before)
            before = now


def as_recorded(answer: Answer) -> Answer:
    """Return the answer without thoughts, and with numbers of tokens that can be recorded, whatever a server said."""
    prompt_tokens, answer_tokens = token_count(answer.prompt_tokens), token_count(answer.answer_tokens)
    thought_tokens = token_count(answer.thought_tokens)
    valid = replace(
        answer,
        prompt_tokens=prompt_tokens,
        answer_tokens=answer_tokens,
        cached_tokens=min(token_count(answer.cached_tokens), prompt_tokens),
        thought_tokens=min(thought_tokens, answer_tokens or thought_tokens),
    )
    return without_thoughts(valid)


def usage_of(answer: Answer, seconds: float) -> Usage:
    """Return what an answer has used."""
    return Usage(
        answers=1,
        prompt_tokens=answer.prompt_tokens,
        answer_tokens=answer.answer_tokens,
        retries=answer.retries,
        asking_seconds=seconds,
        cached_tokens=answer.cached_tokens,
        thought_tokens=answer.thought_tokens,
        all_thought=int(is_all_thought(answer.text, answer.thought_tokens)),
    )


def entry_of(answer: Answer, question: Question, fingerprint: str) -> Entry:
    """Return the line of the journal for an answer."""
    return Entry(
        id=question.request.id,
        task=question.request.task,
        input=question.input,
        fingerprint=fingerprint,
        answer=answer.text,
        finish=answer.finish,
        prompt_tokens=answer.prompt_tokens,
        answer_tokens=answer.answer_tokens,
        sample=question.request.sample,
        thought_tokens=answer.thought_tokens,
    )
