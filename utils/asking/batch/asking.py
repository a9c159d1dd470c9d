"""Ask questions in batch files: read the results that have come, and write what is still missing to the next file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from utils.asking.batch.choice import AnswersPendingError, BatchChoice
from utils.asking.batch.folder import FolderContent, read_folder
from utils.asking.batch.plan import BatchPlan, Failure, describe_waiting, report_content, report_others
from utils.asking.batch.requests import RequestWriter
from utils.asking.batch.spending import within_budget
from utils.asking.batch.submission import submit_files
from utils.asking.batch.tries import Try, question_key
from utils.asking.journal import Journal
from utils.asking.questions import Question, Usage, as_recorded, entry_of, usage_of
from utils.compute.progress import tracked
from utils.llm.base import Answer, LLMOptions
from utils.llm.batch.answers import UnusableError, read_answer
from utils.llm.batch.bodies import request_bodies
from utils.llm.server.limits.budget import Budget
from utils.wording import counted


@dataclass(frozen=True)
class BatchAsker:
    """Asks the questions of one result of the pipeline in batch files."""

    choice: BatchChoice
    model: str
    options: LLMOptions
    result: str  # the stem of the result's file
    budget: Budget  # of the run

    def ask(self, questions: Sequence[Question], journal: Journal) -> Iterator[Usage]:
        """Record the answers that are in the folder, and yield what each has used; ask for the rest in new files.

        Raises AnswersPendingError if answers are missing. With --submit, waits for them instead. Questions that the
        service refuses again and again stay without an answer.
        """
        key_of = partial(question_key, result=self.result, fingerprint=journal.fingerprint)
        keys = {key_of(question.key): question for question in questions if question.key not in journal.entries}
        known = {*keys, *map(key_of, journal.entries)} if keys else set()
        is_submitted = False
        while missing := {key: one for key, one in keys.items() if one.key not in journal.entries}:
            content = read_folder(self.choice.folder, self.result, known.__contains__)
            answers, failures = read_answers(missing, content, self.model)
            for key, answer in tracked(
                answers.items(), self.result, total=len(answers), unit="answer", hidden=not answers
            ):
                journal.append([entry_of(answer, missing.pop(key), journal.fingerprint)])
                if is_submitted:  # other answers are from the budgets of earlier runs
                    self.budget.pay(answer)
                yield usage_of(answer, 0.0)
            plan = BatchPlan.of(missing, content, failures)
            report_content(content)
            plan.report()
            if not plan.is_open:
                return
            report_others(content)
            if is_submitted and not answers:
                raise _no_answers(plan)
            self._wait_for(self._written(plan))
            is_submitted = True

    def _written(self, plan: BatchPlan) -> dict[Path, int]:
        """Write new questions, as far as --max_cost allows; return all files with unanswered ones, and their number."""
        is_limited = self.budget.max_cost is not None
        if plan.new or (is_limited and self.choice.submit):
            requests = [question.request for question in plan.open_questions]
            bodies = request_bodies(self.model, self.options, requests)
            if is_limited:
                plan = within_budget(plan, bodies, self.budget, submit=self.choice.submit)
        files = {path: len(questions) for path, questions in plan.waiting.items()}
        if plan.new:
            writer = RequestWriter(
                self.choice.folder, self.result, self.options.api_base, bodies, self.choice.max_lines
            )
            files |= writer.write([(one, question.request) for one, question in plan.new])
        return files

    def _wait_for(self, files: Mapping[Path, int]) -> None:
        """Let a service answer the requests in files; without --submit, raise AnswersPendingError."""
        if not self.choice.submit:
            can_submit = self.options.api_base is not None
            raise AnswersPendingError(describe_waiting(self.choice.folder, files, can_submit=can_submit))
        submit_files(list(files), self.model, self.options, title=self.result)


def read_answers(
    missing: Mapping[str, Question], content: FolderContent, model: str
) -> tuple[dict[str, Answer], dict[Try, Failure]]:
    """Return the answers to missing questions, in the order of the questions, and the results that are no answers."""
    tries: dict[str, list[Try]] = {}
    for one in sorted(content.results, key=lambda one: one.number):
        tries.setdefault(one.question, []).append(one)
    answers: dict[str, Answer] = {}
    failures: dict[Try, Failure] = {}
    for key, question in missing.items():
        for one in tries.get(key, ()):
            result = content.results[one]
            try:
                answers[key] = as_recorded(read_answer(question.request, result, model))
                break
            except UnusableError as error:
                failures[one] = Failure(str(error), result.completion is not None or result.is_transient)
    return answers, failures


def _no_answers(plan: BatchPlan) -> RuntimeError:
    reason = f" ({plan.failed[0][1]})" if plan.failed else ""
    return RuntimeError(
        f"the batch service answered none of {counted(len(plan.new), 'question')}{reason}. All earlier answers are "
        "saved: run the same command again to send the questions once more"
    )
