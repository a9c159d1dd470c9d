"""Precision, recall and F1 of spans: a span is correct if start, end and label are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.records import Span
from utils.dataset.scores import RATIOS, Scores
from utils.ner.scoring.error_kinds import span_keys
from utils.wording import printable


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """The scores of all spans (`micro`) and of each label."""

    sentences: int
    micro: Scores
    per_label: dict[str, Scores]

    def macro(self) -> dict[str, float]:
        """Return the mean ratios of the labels that occur in gold or predicted spans."""
        seen = [scores for scores in self.per_label.values() if scores.gold or scores.predicted]
        return {name: sum(getattr(scores, name) for scores in seen) / max(len(seen), 1) for name in RATIOS}

    def to_dict(self) -> dict[str, Any]:
        """Return the report for a JSON file; ratios are between 0 and 1."""
        return {
            "sentences": self.sentences,
            "micro": _row(self.micro),
            "macro": {name: round(value, 6) for name, value in self.macro().items()},
            "per_label": {label: _row(scores) for label, scores in self.per_label.items()},
        }

    def to_text(self) -> str:
        """Return the report as a table; ratios in per cent."""
        rows = {printable(label): scores for label, scores in self.per_label.items()}
        width = max([5, *map(len, rows)])
        macro = self.macro()
        lines = [f"{'':{width}}      P      R     F1   gold  found"]
        lines += [_line(label, width, scores) for label, scores in rows.items()]
        lines.append(_line("micro", width, self.micro))
        lines.append(f"{'macro':{width}} " + " ".join(f"{100 * value:6.2f}" for value in macro.values()))
        return "\n".join(lines)


def score_spans(
    gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[Span]], labels: Sequence[str]
) -> ScoreReport:
    """Return the report of predictions for the same sentences, for spans with one of `labels`."""
    correct: Counter[str] = Counter()
    found: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for wanted, guessed in zip(gold, predicted, strict=True):
        truth, guess = span_keys(wanted, labels), span_keys(guessed, labels)
        known.update(label for *_, label in truth)
        found.update(label for *_, label in guess)
        correct.update(label for *_, label in truth & guess)
    per_label = {label: Scores(correct[label], found[label], known[label]) for label in labels}
    totals = (sum(getattr(scores, name) for scores in per_label.values()) for name in ("correct", "predicted", "gold"))
    return ScoreReport(len(gold), Scores(*totals), per_label)


def _row(scores: Scores) -> dict[str, float]:
    return {**scores.rounded(), "gold": scores.gold, "predicted": scores.predicted, "correct": scores.correct}


def _line(label: str, width: int, scores: Scores) -> str:
    ratios = " ".join(f"{100 * value:6.2f}" for value in (scores.precision, scores.recall, scores.f1))
    return f"{label:{width}} {ratios} {scores.gold:6} {scores.predicted:6}"
