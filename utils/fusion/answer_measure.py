"""How much of the text the LLM's parts of speech cover, and how much its answers to the same sentence agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from utils.annotation.answers import place_items
from utils.annotation.rows import AnnotationRow
from utils.dataset.modes import Mode
from utils.dataset.records import SpanKey
from utils.parsing import read_answer
from utils.wording import counted

MAX_MEASURED = 1000  # rows of a mode; more would only take time
LOW_COVERAGE, LOW_AGREEMENT = 0.8, 0.5  # below these, there is advice
SPANS: dict[Mode, str] = {"entity": "entity spans", "pos": "words"}


@dataclass
class PairAgreement:
    """The spans of pairs of answers to the same sentence."""

    pairs: int = 0
    spans: int = 0  # of both answers
    shared: int = 0  # spans that both answers have, counted twice
    shared_with_label: int = 0

    def add(self, one: set[SpanKey], other: set[SpanKey]) -> None:
        """Add the spans of two answers."""
        self.pairs += 1
        bounds, other_bounds = {span[:2] for span in one}, {span[:2] for span in other}
        self.spans += len(bounds) + len(other_bounds)
        self.shared += 2 * len(bounds & other_bounds)
        self.shared_with_label += 2 * len({span[:2] for span in one & other})

    @property
    def share(self) -> float:
        """The share of the spans of one answer that are in the other one, too: an F1."""
        return self.shared / self.spans if self.spans else 1.0

    @property
    def share_with_label(self) -> float:
        return self.shared_with_label / self.spans if self.spans else 1.0


@dataclass
class AnswerMeasure:
    """The measures of the answers that were added."""

    characters: int = 0  # of the sentences whose parts of speech were answered, without spaces
    covered: int = 0  # of these, characters of words with a part of speech
    agreement: dict[Mode, PairAgreement] = field(default_factory=dict)  # of modes with several answers to a sentence

    @classmethod
    def of(cls, rows: Mapping[Mode, Iterable[AnnotationRow]]) -> AnswerMeasure:
        """Return the measures of rows of s1, by mode."""
        measure = cls()
        for some in rows.values():
            for row in islice((row for row in some if row.status == "ok"), MAX_MEASURED):
                measure.add(row)
        return measure

    def add(self, row: AnnotationRow) -> None:
        """Add the answers to one sentence."""
        if row.mode == "pos":
            words = place_items(row.items, row.text, "pos").placed
            tokens = {number for word in words for number in range(word.start, word.end)}
            lengths = [len("".join(token.split())) for token in row.text]
            self.characters += sum(lengths)
            self.covered += sum(lengths[number] for number in tokens)
        found = [_spans(answer, row) for answer in row.answers] if len(row.answers) > 1 else []
        for one, other in pairwise(spans for spans in found if spans is not None):
            self.agreement.setdefault(row.mode, PairAgreement()).add(one, other)

    @property
    def coverage(self) -> float | None:
        """The share of the text in words with a part of speech; None without parts of speech."""
        return self.covered / self.characters if self.characters else None

    def to_json(self) -> dict[str, Any]:
        """Return the measures for a JSON file."""
        coverage = {} if self.coverage is None else {"pos_coverage": round(self.coverage, 4)}
        return coverage | {
            f"{mode}_agreement": {
                "pairs": found.pairs,
                "spans": round(found.share, 4),
                "spans_with_label": round(found.share_with_label, 4),
            }
            for mode, found in self.agreement.items()
        }

    def __str__(self) -> str:
        """Return the measures in words; "" without any."""
        parts = [] if self.coverage is None else [f"parts of speech cover {self.coverage:.0%} of the text"]
        parts += [
            f"two answers to the same sentence share {found.share:.0%} of their {SPANS[mode]} "
            f"({found.share_with_label:.0%} with the label, {counted(found.pairs, 'pair')} of answers)"
            for mode, found in self.agreement.items()
        ]
        return "; ".join(parts)

    @property
    def advice(self) -> str | None:
        """What to try if much of the text is not covered, or if the answers differ much; None otherwise."""
        if self.coverage is not None and self.coverage < LOW_COVERAGE:
            return "much of the text has no part of speech: try --guided, or a larger LLM"
        if any(found.share < LOW_AGREEMENT for found in self.agreement.values()):
            return "the answers differ more than they agree: try more --votes, a lower --temperature, or a larger LLM"
        return None


def _spans(answer: str, row: AnnotationRow) -> set[SpanKey] | None:
    """Return the spans of one answer; None if it cannot be read."""
    items = read_answer(answer, row.mode, " ".join(row.text))
    if items is None:
        return None
    return {(one.start, one.end, one.item.label.casefold()) for one in place_items(items, row.text, row.mode).placed}
