"""A progress bar of answers, with tokens per second and the time left."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class AnswerBar:
    """A progress bar of answers; the time left is estimated from the answers' token budgets, not from their number.

    That is more accurate where long answers come first, as in sorted batches. `start` is called after the model is
    loaded, so that loading does not count.
    """

    def __init__(self, title: str, *, total: int, done: int, budget: int) -> None:
        self._bar = tqdm(total=total, initial=done, desc=title, unit="answer", bar_format=FORMAT)
        self._held = ExitStack()
        self._budget_done = 0  # max_new_tokens of the answers that have come
        self._budget_left = budget  # of all others
        self._tokens = 0
        self._begin = time.monotonic()

    def __enter__(self) -> AnswerBar:
        self._held.enter_context(self._bar)
        self._held.enter_context(logging_redirect_tqdm())  # messages appear above the bar
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def start(self) -> None:
        """Begin to count seconds."""
        self._begin = time.monotonic()

    def advance(self, tokens: int, *, budget: int) -> None:
        """Count one answer of this many tokens, and the budget that it had."""
        self._tokens += tokens
        self._budget_done += budget
        self._budget_left -= budget
        seconds = time.monotonic() - self._begin
        self._bar.set_postfix_str(speed(self._tokens, seconds, self._budget_done, self._budget_left), refresh=False)
        self._bar.update()


def speed(tokens: int, seconds: float, budget_done: int, budget_left: int) -> str:
    """Return tokens per second and the time left, as a bar shows them."""
    rate = tokens / seconds if seconds else 0.0
    return f"{rate:.0f} tokens/s, {tqdm.format_interval(seconds * budget_left / budget_done)} left"
