"""One line of the doctor: what was found and, if it is not right, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "optional", "to do"]


@dataclass(frozen=True)
class Diagnosis:
    """What was found about a topic. `optional`: missing, and needed by some flags only; `to do`: something is wrong."""

    topic: str
    text: str
    remedy: str | None = None
    state: State = "ok"

    def __str__(self) -> str:
        return f"{self.state:<9}{self.topic:<14}{self.text}" + (f": {self.remedy}" if self.remedy else "")


def problem(topic: str, text: str, remedy: str | None = None) -> Diagnosis:
    """Return a finding that must be fixed."""
    return Diagnosis(topic, text, remedy, "to do")


def number_to_do(findings: Iterable[Diagnosis]) -> int:
    """Return how many findings must be fixed."""
    return sum(finding.state == "to do" for finding in findings)


def error_finding(topic: str, error: Exception) -> Diagnosis:
    """Return the finding of an error whose message says what to do."""
    return problem(topic, " ".join(str(error).split()))
