"""Ask an LLM for every answer that a journal lacks, and write each down as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

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


@dataclass(slots=True)
class Usage:
    """What one run has asked for and got so far."""

    answers: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retries: int = 0  # how often a server had to be asked again

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
    bar = tqdm(total=len(questions), initial=len(questions) - len(missing), desc=title, unit="sentence")
    with logging_redirect_tqdm(), bar:  # what is logged meanwhile stands above the bar
        for answer in load().generate(list(missing)):
            journal.append([_entry(answer, missing[answer.request], journal.fingerprint)])
            usage.add(answer)
            bar.update()


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
