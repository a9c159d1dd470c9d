"""What to do about each unanswered question of a batch: wait, ask again, or leave it out; and the messages about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from utils.asking.batch.folder import FolderContent
from utils.asking.batch.state import read_state
from utils.asking.batch.tries import MAX_TRIES, Try
from utils.asking.questions import Question
from utils.wording import agreeing, counted, listed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why a result is no answer."""

    reason: str
    is_transient: bool = True  # the same request may succeed the next time


@dataclass
class BatchPlan:
    """The unanswered questions of a run, by what is done about them."""

    new: list[tuple[Try, Question]] = field(default_factory=list)  # to be written to the next file
    waiting: dict[Path, list[Question]] = field(default_factory=dict)  # file of requests -> those without a result
    failed: list[tuple[Question, str]] = field(default_factory=list)  # of the new ones, those with an error
    absent: list[Question] = field(default_factory=list)  # of the new ones, those without a line in the results
    left_out: list[tuple[Question, str]] = field(default_factory=list)  # refused by the service too often

    @classmethod
    def of(cls, missing: Mapping[str, Question], content: FolderContent, failures: Mapping[Try, Failure]) -> BatchPlan:
        """Return the plan for unanswered questions, by their keys."""
        plan = cls()
        last = content.last_tries()
        for key, question in missing.items():
            if key not in last:
                plan.new.append((Try(key, 1), question))
                continue
            one, file = last[key]
            failure = failures.get(one)
            if failure is None and file.is_awaited:
                plan.waiting.setdefault(file.path, []).append(question)
            elif failure is not None and not failure.is_transient and one.number >= MAX_TRIES:
                plan.left_out.append((question, failure.reason))
            else:
                plan.new.append((Try(key, one.number + 1), question))
                if failure is None:
                    plan.absent.append(question)
                else:
                    plan.failed.append((question, failure.reason))
        return plan

    @property
    def is_open(self) -> bool:
        """Whether answers are still to come."""
        return bool(self.new or self.waiting)

    @property
    def open_questions(self) -> list[Question]:
        """The questions whose answers are still to come."""
        waiting = [question for questions in self.waiting.values() for question in questions]
        return [*waiting, *(question for _, question in self.new)]

    def report(self) -> None:
        """Log which questions are asked again, and why, and which are left out."""
        if self.failed:
            log.warning("%s: asked again in the next file", _named_failures("failed", self.failed))
        if self.absent:
            log.warning(
                "%s without a result (%s): asked again in the next file",
                counted(len(self.absent), "question"),
                _sentences([question.request.id for question in self.absent]),
            )
        if self.left_out:
            log.warning(
                "%s: left out, because the service refused %s %d times",
                _named_failures("without an answer", self.left_out),
                agreeing(len(self.left_out), "it", "them"),
                MAX_TRIES,
            )


def report_content(content: FolderContent) -> None:
    """Log what is wrong with the files of results."""
    for path in content.cut_off:
        log.warning(
            "%s: its last line is cut off: download the file again, or delete that line to ask for the rest anew", path
        )
    if content.damaged:
        log.warning("%s of results cannot be read: %s", counted(len(content.damaged), "line"), listed(content.damaged))
    if content.repeated:
        log.info("%s repeated: the first ones are used", agreeing_results(content.repeated))


def report_others(content: FolderContent) -> None:
    """Log how many results belong to other questions."""
    for path, number in content.others.items():
        log.warning("%s: %s of another dataset, model, prompt or setting, and not used", path, agreeing_results(number))


def describe_waiting(folder: Path, waiting: Mapping[Path, int], *, can_submit: bool) -> str:
    """Return which files a step waits for, and what to do with them."""
    named = {path: f"{path} ({counted(number, 'question')})" for path, number in waiting.items()}
    sent = [path for path in named if read_state(path) is not None]
    unsent = [name for path, name in named.items() if path not in sent]
    put = f"put the output and error files (.jsonl) into {folder}, and run the same command again"
    parts = [f"send {' and '.join(unsent)} to a batch service, {put}"] if unsent else []
    if unsent and can_submit:
        parts.append("or add --submit, which does this")
    if sent:
        parts.append(f"use --submit to get the results of {' and '.join(map(named.__getitem__, sent))}, sent before")
    return f"waiting for the answers to {counted(sum(waiting.values()), 'question')}: {'; '.join(parts)}"


def agreeing_results(number: int) -> str:
    return f"{counted(number, 'result')} {agreeing(number, 'is', 'are')}"


def _named_failures(what: str, failures: Sequence[tuple[Question, str]]) -> str:
    named = [f"{question.request.id}: {reason}" for question, reason in failures]
    return f"{counted(len(failures), 'question')} {what} ({_sentences(named, separator='; ')})"


def _sentences(ids: Sequence[str], separator: str = ", ") -> str:
    return f"{agreeing(len(ids), 'sentence', 'sentences')} {listed(ids, separator)}"
