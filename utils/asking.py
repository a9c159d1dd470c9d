"""Ask an LLM for every answer that a journal lacks, and write each down as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from utils.journal import Entry, Journal
from utils.llm.base import LLM, Answer, Request


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and the SHA-256 of what its sentence brings into it: a changed sentence is a new question."""

    request: Request
    input: str

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Return how the journal knows the answer."""
        return self.request.id, self.request.task, self.input, self.request.sample


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run asked for and got."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retries: int = 0  # how often a server had to be asked again

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.answers + other.answers,
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.retries + other.retries,
        )


def ask(questions: Sequence[Question], journal: Journal, load: Callable[[], LLM], *, title: str) -> Usage:
    """Put the answers that the journal lacks into it; return what they took.

    The model is loaded only if something is left to ask.
    """
    missing = {question.request: question for question in questions if question.key not in journal.entries}
    usage = Usage()
    if not missing:
        return usage
    with tqdm(total=len(questions), initial=len(questions) - len(missing), desc=title, unit="sentence") as bar:
        for answer in load().generate(list(missing)):
            journal.append([_entry(answer, missing[answer.request], journal.fingerprint)])
            usage += Usage(1, answer.prompt_tokens, answer.answer_tokens, answer.retries)
            bar.update()
    return usage


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
