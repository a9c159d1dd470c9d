"""What a conversion could not keep, or changed: counted by reason, with the first example of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from utils.wording import counted

MAX_EXAMPLE = 100  # characters of an example in a message


@dataclass
class Losses:
    """Counts what is lost or changed. Each reason has a noun that is counted, such as "span", and one example."""

    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _examples: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # decisions that concern a whole file, such as inclusive ends

    def add(self, noun: str, reason: str, *, example: object = "", number: int = 1) -> None:
        """Count `number` things for a reason; the example is kept if it is the first one."""
        if number:
            key = noun, reason
            self._counts[key] = self._counts.get(key, 0) + number
            self._examples.setdefault(key, str(example)[:MAX_EXAMPLE])

    def note(self, text: str) -> None:
        """Keep a sentence about the whole file; the same sentence is kept once."""
        if text not in self.notes:
            self.notes.append(text)

    def counts(self) -> Mapping[str, int]:
        """Return the counts by noun and reason, such as {"span, inside another span: dropped": 3}."""
        return {f"{noun}, {reason}": number for (noun, reason), number in self._counts.items()}

    def total(self) -> int:
        """Return the number of all things that were counted."""
        return sum(self._counts.values())

    def number(self, reason: str) -> int:
        """Return the number of things that were counted for a reason."""
        return sum(number for (_, given), number in self._counts.items() if given == reason)

    def lines(self) -> list[str]:
        """Return one line per note and per reason, such as "3 spans: inside another span: dropped (a.json:2: …)"."""
        counts = [
            f"{counted(number, noun)}: {reason}" + (f" (the first: {example})" if example else "")
            for (noun, reason), number, example in (
                (key, number, self._examples[key]) for key, number in self._counts.items()
            )
        ]
        return [*self.notes, *counts]
