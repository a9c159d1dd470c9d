"""What answers of a hosted LLM cost."""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of a million tokens, in any currency."""

    prompt: float = 0.0
    answer: float = 0.0  # thoughts are part of the answer
    cached: float | None = None  # prompt tokens that are in the server's cache; None: as other prompt tokens

    def cost(self, prompt_tokens: float, answer_tokens: float, cached_tokens: float = 0.0) -> float:
        """Return the cost of some tokens; the cached ones are part of the prompt's tokens."""
        cached = self.prompt if self.cached is None else self.cached
        new_tokens = max(0.0, prompt_tokens - cached_tokens)
        return (new_tokens * self.prompt + cached_tokens * cached + answer_tokens * self.answer) / MILLION
