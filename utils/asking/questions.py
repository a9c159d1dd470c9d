"""Ask an LLM for every answer that a journal lacks, and write each down as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from utils.asking.journal import Entry, Journal, Key
from utils.asking.progress_bar import Progress
from utils.llm.base import LLM, Answer, Request


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the SHA-256 of what its sentence brings into it: a changed sentence is a new question."""

    request: Request
    input: str
    typical: str = ""  # an answer of the length that answers to it usually have: what a plan counts

    @property
    def key(self) -> Key:
        """Return how the journal knows the answer."""
        return self.request.id, self.request.task, self.input, self.request.sample


@dataclass(slots=True)
class Usage:
    """What one run has asked for and got so far."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retries: int = 0  # how often a server had to be asked again
    asking_seconds: float = 0.0  # the model's loading left out

    @property
    def tokens_per_second(self) -> float | None:
        """How many tokens of answers came a second, of all that ran at once; None where nothing was asked."""
        return round(self.answer_tokens / self.asking_seconds, 1) if self.asking_seconds else None

    def add(self, answer: Answer) -> None:
        self.answers += 1
        self.prompt_tokens += answer.prompt_tokens
        self.answer_tokens += answer.answer_tokens
        self.retries += answer.retries


def ask(questions: Sequence[Question], journal: Journal, load: Callable[[], LLM], usage: Usage, *, title: str) -> None:
    """Put the answers that the journal lacks into it, and what they took into `usage`.

    The model is loaded only if something is left to ask.
    """
    missing = {question.request: question for question in questions if question.key not in journal.entries}
    if not missing:
        return
    expected = sum(request.max_new_tokens for request in missing)  # which grows with the sentence
    with Progress(title, total=len(questions), done=len(questions) - len(missing), expected=expected) as bar:
        llm = load()
        bar.start()
        before = usage.asking_seconds
        for answer in llm.generate(list(missing)):
            journal.append([_entry(answer, missing[answer.request], journal.fingerprint)])
            bar.advance(answer.answer_tokens, expected=answer.request.max_new_tokens)
            usage.add(answer)
            usage.asking_seconds = round(before + bar.seconds, 6)


def _entry(answer: Answer, question: Question, fingerprint: str) -> Entry:
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
    )
