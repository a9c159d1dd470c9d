"""How well a span model does on annotated sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.ner.bootstrap import RESAMPLES, Interval, confidence, sentence_counts
from utils.ner.errors import Errors, count_errors
from utils.ner.metrics import Report, score_spans
from utils.ner.predictor import SpanNer
from utils.records import Sentence, Span

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assessment:
    """A report, the kinds of its errors, and how sure its micro ratios are."""

    report: Report
    errors: Errors
    intervals: Mapping[str, Interval]  # by ratio

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for a JSON file; ratios lie between 0 and 1."""
        intervals = {name: interval.to_list() for name, interval in self.intervals.items()}
        return {**self.report.to_dict(), "intervals": intervals, "errors": self.errors.to_dict()}

    def to_text(self) -> str:
        """Return the report's table, and what is said of it; ratios in per cent."""
        ranges = [
            f"{name} {100 * self.intervals[key].low:.2f} to {100 * self.intervals[key].high:.2f}"
            for name, key in (("P", "precision"), ("R", "recall"), ("F1", "f1"))
        ]
        sure = f"95 % of resampled test sets: micro {', '.join(ranges)}"
        return "\n".join([self.report.to_text(), sure, self.errors.to_text()])


def evaluate(ner: SpanNer, sentences: Sequence[Sentence], *, batch_size: int, progress: bool = False) -> Report:
    """Return the model's report on some sentences, of which `labels_that_count` are scored."""
    predicted = ner.predict([sentence.tokens for sentence in sentences], batch_size, progress=progress)
    return score_spans([sentence.spans for sentence in sentences], predicted, labels_that_count(ner, sentences))


def labels_that_count(ner: SpanNer, sentences: Iterable[Sentence]) -> list[str]:
    """Return the labels that a model is measured by: its targets, and gold labels that it has never seen.

    Gold spans with extension labels are left out. Those with unknown labels count as missed, with a warning.
    """
    unknown = sorted({span.label for sentence in sentences for span in sentence.spans} - set(ner.labels))
    if unknown:
        log.warning("the model does not know these labels, so their spans count as missed: %s", ", ".join(unknown))
    return [*ner.targets, *unknown]


def assess(
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[Span]],
    labels: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Assessment:
    """Return how well predictions fit their sentences; spans of labels not among `labels` are left out."""
    gold = [sentence.spans for sentence in sentences]
    counts = sentence_counts(gold, predicted, labels)
    return Assessment(
        score_spans(gold, predicted, labels),
        count_errors(gold, predicted, labels),
        confidence(counts, seed=seed, resamples=resamples),
    )
