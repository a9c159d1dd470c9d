"""What became of the answers of s2, and the line that says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class SynthesisCounts:
    """What became of the answers of s2."""

    asked: int = 0  # sentences
    without_entity: int = 0
    skipped: int = 0
    answers: int = 0
    rounds: int = 0
    made: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(self.dropped.items()))
        dropped = f", dropped {self.dropped.total()} ({reasons})" if reasons else ""
        passed = f"; {self.without_entity} had no entity to explain" if self.without_entity else ""
        passed += f"; {self.skipped} skipped" if self.skipped else ""
        times = f" in {self.answers} answers of {self.rounds} rounds" if self.rounds > 1 else ""
        return (
            f"continued {self.asked} sentences{times}{passed}: kept {self.kept} of {self.made} new sentences{dropped}"
        )

    def as_row(self) -> dict[str, Any]:
        """Return the counts as a manifest holds them."""
        return asdict(self) | {"dropped": dict(sorted(self.dropped.items()))}

    @property
    def advice(self) -> str | None:
        """Say what to try where more than half of the new sentences were dropped, or none was made."""
        if self.asked and not self.made:
            return "no sentence was made: try a larger model, or a larger --max_new_tokens"
        return "most were dropped: try a larger model, or another --temperature" if 2 * self.kept < self.made else None
