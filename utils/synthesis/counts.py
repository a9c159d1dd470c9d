"""The counts of s2, and its last line."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from utils.synthesis.habits.measures import StyleMeasures, compared
from utils.synthesis.raw_text import RawCounts
from utils.wording import counted, numbered


@dataclass
class SynthesisCounts:
    """How many sentences s2 asked about, made, kept and dropped."""

    asked: int = 0  # source sentences with an answer
    without_entity: int = 0
    skipped: int = 0  # sentences with an entity that were not asked about, because of --limit
    answers: int = 0
    rounds: int = 0
    made: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    style: StyleMeasures | None = None  # of the kept sentences; None: there are none
    dataset_style: StyleMeasures | None = None
    raw: RawCounts | None = None  # None: no raw text was given
    used: str = ""  # what the answers of this run took, in words

    def __str__(self) -> str:
        dropped = f", dropped {self.dropped.total()} ({numbered(self.dropped)})" if self.dropped else ""
        skipped = f"; {self.without_entity} had no entity to explain" if self.without_entity else ""
        style = f"; {compared(self.style, self.dataset_style)}" if self.style and self.dataset_style else ""
        skipped += f"; {self.skipped} not asked (--limit)" if self.skipped else ""
        times = f" in {counted(self.answers, 'answer')} of {counted(self.rounds, 'round')}" if self.rounds > 1 else ""
        kept = f"kept {self.kept} of {counted(self.made, 'new sentence')}{dropped}{style}"
        raw = f"; {self.raw}" if self.raw else ""
        return f"continued {counted(self.asked, 'sentence')}{times}{skipped}: {kept}{raw}{self.used}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts as they are written to a manifest."""
        row = asdict(self) | {"dropped": dict(sorted(self.dropped.items()))}
        del row["raw"], row["used"]
        return row | ({"raw": self.raw.as_row()} if self.raw else {})

    @property
    def advice(self) -> str | None:
        """What to try if no sentence was made, or more than half were dropped; else None."""
        if self.asked and not self.made:
            return "the answers contain no new sentence: try a larger model, or a larger --max_new_tokens"
        if 2 * self.kept < self.made:
            return "most new sentences were dropped: try a larger model, or another --temperature"
        return self.raw.advice if self.raw else None
