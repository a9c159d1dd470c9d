"""What check.py finds: faults that stop or mislead the steps, things to look at, and facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from utils.wording import agreeing, counted

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
MAX_EXAMPLE = 90  # characters
_VERB = re.compile(r"\b([a-z]+)\|([a-z]+)\b")  # for one, for several


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: `kind` is its name in --json, `number` how many things it concerns, `message` what is the case.

    error: a step refuses the dataset, or reads it wrongly. warning: scores or training may suffer. note: a fact.
    """

    level: Level
    kind: str
    message: str
    number: int = 1
    example: str = ""

    def __str__(self) -> str:
        example = self.example if len(self.example) <= MAX_EXAMPLE else f"{self.example[:MAX_EXAMPLE]}…"
        return f"{self.level:<8}{self.message}" + (f" ({example})" if example else "")

    def to_json(self) -> dict[str, Any]:
        """Return the finding as --json shows it."""
        return asdict(self)


def found(  # the fields of a finding
    level: Level, kind: str, number: int, noun: str, message: str, example: str = ""
) -> list[Finding]:
    """Return a finding that counts things; [] if there are none. In `message`, "is|are" agrees with the number.

    >>> found("note", "nested", 2, "span", "of a is|are inside another one")[0].message
    '2 spans of a are inside another one'
    """
    agreed = _VERB.sub(lambda verb: agreeing(number, verb[1], verb[2]), message)
    return [Finding(level, kind, f"{counted(number, noun)} {agreed}", number, example)] if number else []


def by_level(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the errors first, else in their order."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))
