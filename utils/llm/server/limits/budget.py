"""The cost of a run's answers, and its limit (--max_cost)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from utils.llm.base import Answer
from utils.llm.prices import Prices
from utils.llm.server.replies import Reply

# A token has at least one character or, in scripts that a tokenizer lacks, one byte; a chat template adds some.
TEMPLATE_TOKENS = 200


class BudgetError(RuntimeError):
    """The next request might cost more than what is left of --max_cost."""


@dataclass
class Budget:
    """The tokens of a run's replies, and what is reserved for requests in flight: their highest possible cost."""

    prices: Prices | None = None
    max_cost: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    _reserved: dict[int, float] = field(default_factory=dict)  # key of a request in flight -> its highest cost

    @property
    def spent(self) -> float:
        """The cost of all replies so far; 0 without prices."""
        if self.prices is None:
            return 0.0
        return self.prices.cost(self.prompt_tokens, self.answer_tokens, self.cached_tokens)

    @property
    def rest(self) -> float:
        """What is left of --max_cost; infinity without it."""
        return inf if self.max_cost is None else self.max_cost - self.spent - sum(self._reserved.values())

    def highest_cost(self, body: Mapping[str, Any], limit: int) -> float:
        """Return the highest cost of a request with an answer of at most `limit` tokens; 0 without prices."""
        return 0.0 if self.prices is None else self.prices.cost(most_prompt_tokens(body), limit)

    def reserve(self, key: int, body: Mapping[str, Any], limit: int) -> bool:
        """Reserve the highest cost of a request with an answer of at most `limit` tokens; False if it is too much."""
        if self.max_cost is None or self.prices is None:
            return True
        highest = self.highest_cost(body, limit)
        if highest > self.rest:
            return False
        self._reserved[key] = highest
        return True

    def check(self) -> None:
        """Raise BudgetError if what is reserved does not fit any more, because of empty replies that were paid for."""
        if self.rest < 0:
            raise BudgetError("the rest of --max_cost may not be enough to ask again after an empty reply")

    def release(self, key: int) -> None:
        """Forget the reservation of a request that has ended."""
        self._reserved.pop(key, None)

    def pay(self, reply: Reply | Answer) -> None:
        """Add the tokens of a reply, or of an answer."""
        self.prompt_tokens += reply.prompt_tokens
        self.cached_tokens += reply.cached_tokens
        self.answer_tokens += reply.answer_tokens

    def take_over(self, other: Budget) -> None:
        """Add the tokens of another budget, which has none afterwards."""
        self.prompt_tokens += other.prompt_tokens
        self.cached_tokens += other.cached_tokens
        self.answer_tokens += other.answer_tokens
        other.prompt_tokens = other.cached_tokens = other.answer_tokens = 0

    def exhausted(self, unasked: int) -> BudgetError:
        """Return the error for a run that ends with requests left."""
        return BudgetError(
            f"--max_cost={self.max_cost:g}: {self.spent:.4f} spent in this run, and the next answer might cost more "
            f"than the rest; {unasked} requests are left. All answers are saved: run the same command again to "
            "continue, with as much money again; raise --max_cost if it is too little for one answer"
        )


def most_prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return a number of tokens that a request's prompt does not exceed; services also count its JSON schema."""
    messages, form = body["messages"], json.dumps(body.get("response_format", ""), ensure_ascii=False)
    texts = [*(str(message["content"]) for message in messages), form]
    return sum(len(text.encode()) for text in texts) + TEMPLATE_TOKENS * len(messages)
