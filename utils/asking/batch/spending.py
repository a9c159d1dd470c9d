"""The money of a run with batch files: what it asks may not cost more than the rest of --max_cost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from utils.asking.batch.plan import BatchPlan
from utils.asking.batch.state import is_started
from utils.asking.questions import Question
from utils.llm.base import Request
from utils.llm.server.limits.budget import Budget
from utils.llm.server.refusals import LIMIT_FIELDS
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)


def within_budget(
    plan: BatchPlan, body: Callable[[Request], Mapping[str, Any]], budget: Budget, *, submit: bool
) -> BatchPlan:
    """Return the part of a plan that cannot cost more than the rest of the budget, and log what is left.

    A batch cannot be stopped by its cost, so each answer counts with its largest length. Files that are already at the
    service, or that a user may have sent there, are always in the plan. Raises BudgetError if nothing can be asked.
    """

    def cost(questions: Sequence[Question]) -> float:
        return sum(budget.highest_cost(body(one.request), _longest_answer(body(one.request), one)) for one in questions)

    rest = budget.rest
    part = BatchPlan()
    for path, questions in sorted(plan.waiting.items(), key=lambda item: not is_started(item[0])):
        price = cost(questions)
        if price <= rest or not submit or is_started(path):
            part.waiting[path] = questions
            rest -= price
    for one, question in plan.new if len(part.waiting) == len(plan.waiting) else ():
        if (price := cost([question])) > rest:
            break
        part.new.append((one, question))
        rest -= price
    if left := len(plan.open_questions) - len(part.open_questions):
        if not part.is_open:
            raise budget.exhausted(left)
        log.warning(
            "--max_cost=%g: the answers to %s may cost up to %.4f, so %s %s left for later runs of the same command",
            budget.max_cost,
            counted(len(part.open_questions), "question"),
            budget.rest - rest,
            counted(left, "other question"),
            agreeing(left, "is", "are"),
        )
    return part


def _longest_answer(body: Mapping[str, Any], question: Question) -> int:
    """Return the largest number of tokens that an answer may have, thoughts included."""
    return next((int(body[name]) for name in LIMIT_FIELDS if name in body), question.request.max_new_tokens)
