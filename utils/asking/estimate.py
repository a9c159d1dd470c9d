"""What a step would take before it is run: sentences, tokens, time and cost (--plan)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from utils.asking.journal import Entry, Key
from utils.asking.questions import Question
from utils.asking.step import LLMStep

Count = Callable[[str], int]  # a message -> the tokens of its prompt

COUNTED = 500  # questions whose tokens are counted, spread over all; the others are taken to be like them
FEW, ENOUGH = 5, 20  # real answers: from where on they are believed, and without a remark


@dataclass(frozen=True)
class Terms:
    """What the user knows or wants to know."""

    answers: int = 0  # real ones to be asked for first, which the journal keeps
    tokens_per_second: float | None = None  # of answers, all that run at once together
    price_in: float | None = None  # of a million tokens
    price_out: float | None = None


@dataclass(frozen=True)
class Tokens:
    """Tokens of prompts and of their answers."""

    prompt: float
    answer: float


@dataclass(frozen=True)
class Plan:
    """What is left of a step, and what that takes."""

    asked: int  # questions of the step
    left: int  # of them, those that the journal does not answer
    tokens: Tokens  # of what is left
    real: int  # answers that the estimate rests on
    tokens_per_second: float | None
    terms: Terms

    @property
    def seconds(self) -> float | None:
        """How long what is left takes; None where nobody knows how fast the model is."""
        return self.tokens.answer / self.tokens_per_second if self.tokens_per_second else None

    @property
    def cost(self) -> float | None:
        """What what is left costs; None where no price is given."""
        if self.terms.price_in is None and self.terms.price_out is None:
            return None
        millions_in, millions_out = self.tokens.prompt / 1e6, self.tokens.answer / 1e6
        return millions_in * (self.terms.price_in or 0) + millions_out * (self.terms.price_out or 0)

    def lines(self) -> list[str]:
        """Return the plan as a user reads it."""
        each = max(1, self.left)
        prompts, answers = self.tokens.prompt, self.tokens.answer
        lines = [
            f"questions: {self.asked}, of which {self.asked - self.left} are answered in the journal",
            f"prompts:   {prompts:,.0f} tokens, {prompts / each:.0f} a question",
            f"answers:   {answers:,.0f} tokens, {answers / each:.0f} a question ({self._basis()})",
        ]
        if self.seconds is not None:
            time = timedelta(seconds=round(self.seconds))
            lines.append(f"time:      {time} at {self.tokens_per_second:.0f} answer tokens a second")
        else:
            lines.append("time:      not known; give --tokens_per_second, or --time=20 to ask 20 questions and measure")
        if self.cost is not None:
            lines.append(f"cost:      {self.cost:.2f}")
        return lines

    def _basis(self) -> str:
        if self.real < FEW:
            return "by what answers usually look like; --time=20 asks 20 questions to know better"
        few = "" if self.real >= ENOUGH else "few: --time=20 makes it surer; "
        return f"{few}from {self.real} real ones"


def plan_step(step: LLMStep, questions: Sequence[Question], terms: Terms) -> Plan:
    """Return what `step` would take; asks for some real answers first where the terms want them."""
    entries = step.recorded()
    speed = terms.tokens_per_second
    if terms.answers and (left := _left(questions, entries)):
        usage = step.ask(spread(sorted(left, key=lambda one: one.request.max_new_tokens), terms.answers))
        speed = speed or usage.tokens_per_second
        entries = step.recorded()
    left = _left(questions, entries)
    answered = [one for one in questions if one.key in entries]
    tokens = estimate(left, answered, entries, step.model.counter())
    return Plan(len(questions), len(left), tokens, len(answered), speed, terms)


def estimate(
    left: Sequence[Question], answered: Sequence[Question], entries: Mapping[Key, Entry], count: Count
) -> Tokens:
    """Return the tokens of what is left: counted, and corrected by how far counting errs on real answers."""
    empty = count("")

    def counted(questions: Sequence[Question]) -> Tokens:
        prompt = sum(count(one.request.prompt) for one in questions)
        answer = sum(min(count(one.typical) - empty, one.request.max_new_tokens) for one in questions)
        return Tokens(prompt, answer)

    sample, known = spread(left, COUNTED), spread(answered, COUNTED)
    whole, scale = counted(sample), len(left) / max(1, len(sample))
    prompt, answer = scale * whole.prompt, scale * whole.answer
    if len(known) < FEW:
        return Tokens(prompt, answer)
    like = counted(known)
    real = [entries[one.key] for one in known]
    return Tokens(
        prompt * _ratio(sum(entry.prompt_tokens for entry in real), like.prompt),
        answer * _ratio(sum(entry.answer_tokens for entry in real), like.answer),
    )


def spread(questions: Sequence[Question], number: int) -> list[Question]:
    """Return `number` questions at equal distances, or all where there are no more."""
    if len(questions) <= number:
        return list(questions)
    return [questions[(2 * place + 1) * len(questions) // (2 * number)] for place in range(number)]


def _left(questions: Sequence[Question], entries: Mapping[Key, Entry]) -> list[Question]:
    return [one for one in questions if one.key not in entries]


def _ratio(real: float, counted: float) -> float:
    return real / counted if counted else 1.0
