"""The estimate of a step before it runs: questions, tokens, time and cost (--plan)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question, Usage
from utils.asking.step import LLMStep
from utils.llm.base import TokenCounter
from utils.llm.prices import Prices
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

MAX_COUNTED = 500  # questions whose tokens are counted; the total is scaled up from them
MANY_ANSWERS = 20  # below this, the estimate is shown with a note that it is based on few answers


@dataclass(frozen=True)
class QuestionPlan:
    """The questions that a step will ask, in rounds."""

    rounds: Sequence[Sequence[Question]]
    basis: str | None = None  # how the number of rounds was estimated; None: it is known

    @property
    def questions(self) -> list[Question]:
        """The questions of all rounds."""
        return [question for round_ in self.rounds for question in round_]


Planner = Callable[[Mapping[AnswerKey, Entry]], QuestionPlan]  # recorded answers -> the questions of the step


@dataclass(frozen=True)
class EstimateSettings:
    """The settings of an estimate."""

    questions_to_ask: int = 0  # asked before estimating; their answers stay in the journal
    tokens_per_second: float | None = None  # answer tokens, over all parallel answers
    prompt_tokens_per_second: float | None = None
    prices: Prices | None = None


@dataclass(frozen=True)
class Tokens:
    """The numbers of tokens in prompts and in their answers."""

    prompt: float
    answer: float


@dataclass(frozen=True)
class Speed:
    """The speed of a model, in tokens per second over all parallel answers."""

    answers: float
    prompts: float | None = None  # None: not known, or contained in `answers`
    measured: int = 0  # answers whose time was measured, including the time to read their prompts; 0: given by the user

    def seconds(self, tokens: Tokens) -> float:
        """Return the time for some prompts and answers, as far as it is known."""
        return tokens.answer / self.answers + (tokens.prompt / self.prompts if self.prompts else 0.0)

    def note(self, tokens: Tokens) -> str:
        """Return what the time of `seconds` contains."""
        note = f"{self.answers:.0f} answer tokens per second"
        if self.measured:
            return f"{note}, measured with {counted(self.measured, 'answer')}, including the reading of their prompts"
        if self.prompts:
            return f"{note} and {self.prompts:.0f} prompt tokens per second"
        return (
            f"{note}, without the time to read {tokens.prompt:,.0f} prompt tokens; give --prompt_tokens_per_second, or "
            "--time=20 to measure both"
        )


@dataclass(frozen=True)
class Estimate:
    """The questions of a step that are not answered yet, and what they will take."""

    questions: int
    unanswered: int  # of them, not in the journal
    tokens: Tokens  # of the unanswered questions
    recorded: int  # answers in the journal that the estimate is based on
    speed: Speed | None
    settings: EstimateSettings
    basis: str | None = None  # how the number of questions was estimated; None: it is known
    thought_share: float = 0.0  # of the tokens of recorded answers

    @property
    def seconds(self) -> float | None:
        """Return the time for the unanswered questions; None if the model's speed is not known."""
        return self.speed.seconds(self.tokens) if self.speed else None

    @property
    def cost(self) -> float | None:
        """Return the cost of the unanswered questions; None if no price is given."""
        prices = self.settings.prices
        return prices.cost(self.tokens.prompt, self.tokens.answer) if prices else None

    def lines(self) -> list[str]:
        """Return the estimate as lines of text."""
        if self.questions and not self.unanswered:
            return [f"questions: {self.questions}, all of them already answered in the journal: nothing is left to ask"]
        divisor = max(1, self.unanswered)
        prompts, answers = self.tokens.prompt, self.tokens.answer
        lines = [
            f"questions: {self.questions}, {self.questions - self.unanswered} of them already answered in the journal",
            *([f"rounds:    {self.basis}"] if self.basis else []),
            f"prompts:   {_tokens(prompts)}, {prompts / divisor:.0f} per question",
            f"answers:   {_tokens(answers)}, {answers / divisor:.0f} per question ({self._basis()})",
        ]
        if self.speed is not None:
            time = timedelta(seconds=round(self.speed.seconds(self.tokens)))
            lines.append(f"time:      {time} at {self.speed.note(self.tokens)}")
        else:
            lines.append(
                "time:      unknown; set --tokens_per_second, or --time=20 to ask 20 questions and measure the speed"
            )
        if self.cost is not None:
            lines.append(f"cost:      {self.cost:.2f}")
        return lines

    def _basis(self) -> str:
        if not self.recorded:
            return "based on answers of typical length; --time=20 asks 20 questions for a better estimate"
        few = "" if self.recorded >= MANY_ANSWERS else "; --time=20 asks 20 questions for a better estimate"
        thoughts = f"; {self.thought_share:.0%} of their tokens are thoughts" if self.thought_share else ""
        return f"based on {counted(self.recorded, 'recorded answer')}{thoughts}{few}"


def _tokens(number: float) -> str:
    return f"{number:,.0f} {agreeing(round(number), 'token', 'tokens')}"


def report_estimate(step: LLMStep, plan: Planner, settings: EstimateSettings) -> None:
    """Log what `step` will take; `plan` returns its questions."""
    log.info("estimate for %s:", step.result)
    for line in estimate_step(step, plan, settings).lines():
        log.info("  %s", line)


def estimate_step(step: LLMStep, plan: Planner, settings: EstimateSettings) -> Estimate:
    """Return what `step` will take; if the settings say so, ask some questions first to measure the speed."""
    entries = step.recorded_answers()
    speed = _given_speed(settings)
    if settings.questions_to_ask and (chosen := _questions_to_time(plan(entries), entries, settings.questions_to_ask)):
        with step.start() as run:
            run.ask(chosen)
        speed = speed or _measured_speed(run.usage)
        entries = run.journal.entries
    speed = speed or _measured_speed(step.earlier_usage())
    planned = plan(entries)
    questions = planned.questions
    unanswered = _unanswered(questions, entries)
    answered = [question for question in questions if question.key in entries]
    tokens = estimate_tokens(unanswered, answered, entries, step.model.token_counter())
    share = _thought_share([entries[question.key] for question in evenly_spaced(answered, MAX_COUNTED)])
    return Estimate(len(questions), len(unanswered), tokens, len(answered), speed, settings, planned.basis, share)


def estimate_tokens(
    unanswered: Sequence[Question],
    answered: Sequence[Question],
    entries: Mapping[AnswerKey, Entry],
    count: TokenCounter,
) -> Tokens:
    """Return the tokens of the unanswered questions.

    They are counted in the prompts and in typical answers. Then they are multiplied by the ratio of real to counted
    tokens of the answered questions, if there are any.
    """
    if not unanswered:
        return Tokens(0.0, 0.0)
    counted_part = evenly_spaced(unanswered, MAX_COUNTED)
    scale = len(unanswered) / len(counted_part)
    counted = _counted_tokens(counted_part, count)
    prompt, answer = scale * counted.prompt, scale * counted.answer
    known = evenly_spaced(answered, MAX_COUNTED)
    if not known:
        return Tokens(prompt, answer)
    counted = _counted_tokens(known, count)
    recorded = [entries[question.key] for question in known]
    return Tokens(
        prompt * _ratio(sum(entry.prompt_tokens for entry in recorded), counted.prompt),
        answer * _ratio(sum(entry.answer_tokens for entry in recorded), counted.answer),
    )


def evenly_spaced(questions: Sequence[Question], number: int) -> list[Question]:
    """Return `number` questions at equal distances, or all if there are no more."""
    if len(questions) <= number:
        return list(questions)
    return [questions[(2 * index + 1) * len(questions) // (2 * number)] for index in range(number)]


def _counted_tokens(questions: Sequence[Question], count: TokenCounter) -> Tokens:
    """Return the tokens of prompts, with the chat template, and of typical answers, without it."""
    template = count("")
    prompt = sum(count(question.request.prompt, question.request.earlier) for question in questions)
    answer = sum(
        min(count(question.typical_answer) - template, question.request.max_new_tokens) for question in questions
    )
    return Tokens(prompt, answer)


def _questions_to_time(plan: QuestionPlan, entries: Mapping[AnswerKey, Entry], number: int) -> list[Question]:
    """Return about `number` unanswered questions, short and long ones, from the first rounds that have enough."""
    unanswered: list[Question] = []
    for round_ in plan.rounds:
        unanswered += _unanswered(round_, entries)
        if len(unanswered) >= number:
            break
    return evenly_spaced(sorted(unanswered, key=lambda question: question.request.max_new_tokens), number)


def _given_speed(settings: EstimateSettings) -> Speed | None:
    given = settings.tokens_per_second
    return Speed(given, settings.prompt_tokens_per_second) if given else None


def _measured_speed(usage: Usage) -> Speed | None:
    measured = usage.tokens_per_second
    return Speed(measured, measured=usage.answers) if measured else None


def _thought_share(entries: Sequence[Entry]) -> float:
    """Return the share of thoughts in the tokens of answers."""
    tokens = sum(entry.answer_tokens for entry in entries)
    return sum(entry.thought_tokens for entry in entries) / tokens if tokens else 0.0


def _unanswered(questions: Sequence[Question], entries: Mapping[AnswerKey, Entry]) -> list[Question]:
    return [question for question in questions if question.key not in entries]


def _ratio(real: float, counted: float) -> float:
    """Return real / counted; 1 if either is not known, as the tokens of a recording."""
    return real / counted if real and counted else 1.0
