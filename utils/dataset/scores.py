"""Precision, recall and F1 from counts of spans."""

from __future__ import annotations

from dataclasses import dataclass

RATIOS = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts of spans and their ratios; a ratio with divisor 0 is 0."""

    correct: int
    predicted: int
    gold: int

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.correct + other.correct, self.predicted + other.predicted, self.gold + other.gold)

    @property
    def precision(self) -> float:
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.correct / (self.predicted + self.gold) if self.correct else 0.0

    def rounded(self) -> dict[str, float]:
        """Return the ratios by their names, with six digits."""
        return {name: round(getattr(self, name), 6) for name in RATIOS}

    def __str__(self) -> str:
        return f"P {100 * self.precision:.1f}, R {100 * self.recall:.1f}, F1 {100 * self.f1:.1f}"
