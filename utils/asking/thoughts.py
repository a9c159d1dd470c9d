"""The thoughts of reasoning models: they are counted, but they are not a part of the answer."""

from __future__ import annotations

from dataclasses import replace

from utils.llm.base import Answer
from utils.parsing.thinking import split_thoughts
from utils.wording import agreeing, counted


def without_thoughts(answer: Answer) -> Answer:
    """Return an answer without its thoughts, and with the number of their tokens.

    Where the backend does not count them, the number is estimated from their share of the text. An answer that is all
    thought counts as cut off.
    """
    text, thoughts = split_thoughts(answer.text, replacement="\n")
    tokens = answer.thought_tokens
    if thoughts.strip() and not tokens:
        tokens = max(1, round(answer.answer_tokens * len(thoughts) / len(answer.text)))
    text = text if text == answer.text else text.strip()
    finish = "length" if is_all_thought(text, tokens) else answer.finish
    return replace(answer, text=text, thought_tokens=tokens, finish=finish)


def is_all_thought(answer: str, thought_tokens: int) -> bool:
    """Return whether an answer consists of thoughts alone."""
    return thought_tokens > 0 and not answer.strip()


def explain_all_thought(number: int, answers: int, thought_tokens: int) -> str:
    """Return what to do if a number of `answers` are thoughts alone; all answers together have `thought_tokens`."""
    what = f"{number} of {counted(answers, 'answer')} {agreeing(number, 'is', 'are')} all thought"
    mean = f"{counted(round(thought_tokens / answers), 'token')} of thoughts per answer"
    return (
        f"{what}, cut off before the answer began ({mean}): use a larger --max_new_tokens, with --overwrite to ask "
        "again, or a model that does not think"
    )
