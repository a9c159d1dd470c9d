"""The evaluation of a span model on annotated sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.records import Sentence, Span
from utils.ner.prediction.predictor import SpanNer
from utils.ner.scoring.bootstrap import RESAMPLES, Interval, confidence, sentence_counts
from utils.ner.scoring.error_kinds import Errors, count_errors
from utils.ner.scoring.metrics import ScoreReport, score_spans

log = logging.getLogger(__name__)

THRESHOLDS = (0.5, 0.4, 0.3, 0.2)  # candidates in training; the first, if several are equally good


@dataclass(frozen=True, slots=True)
class Assessment:
    """A report with the kinds of errors and the confidence intervals of the micro ratios."""

    report: ScoreReport
    errors: Errors
    intervals: Mapping[str, Interval]  # by ratio

    def to_dict(self) -> dict[str, Any]:
        """Return the assessment for a JSON file; ratios are between 0 and 1."""
        intervals = {name: interval.to_list() for name, interval in self.intervals.items()}
        return {**self.report.to_dict(), "intervals": intervals, "errors": self.errors.to_dict()}

    def to_text(self) -> str:
        """Return the report's table, the intervals and the errors as text; ratios in per cent."""
        ranges = [
            f"{name} {100 * self.intervals[key].low:.2f} to {100 * self.intervals[key].high:.2f}"
            for name, key in (("P", "precision"), ("R", "recall"), ("F1", "f1"))
        ]
        spread = f"95 % bootstrap intervals: micro {', '.join(ranges)}"
        return "\n".join([self.report.to_text(), spread, self.errors.to_text()])


def evaluate(ner: SpanNer, sentences: Sequence[Sentence], *, batch_size: int, progress: bool = False) -> ScoreReport:
    """Return the model's report on annotated sentences, for the labels of `scored_labels`."""
    predicted = ner.predict([sentence.tokens for sentence in sentences], batch_size, progress=progress)
    return score_spans([sentence.spans for sentence in sentences], predicted, scored_labels(ner, sentences))


def evaluate_best(ner: SpanNer, sentences: Sequence[Sentence], *, batch_size: int) -> tuple[float, ScoreReport]:
    """Return the threshold of `THRESHOLDS` with the best micro-F1 on annotated sentences, and its report."""
    found = ner.predict([sentence.tokens for sentence in sentences], batch_size, threshold=min(THRESHOLDS))
    gold, labels = [sentence.spans for sentence in sentences], scored_labels(ner, sentences)
    reports = {  # a span is never dropped for one with a lower score: a higher threshold finds a subset of `found`
        threshold: score_spans(gold, [_above(spans, threshold) for spans in found], labels) for threshold in THRESHOLDS
    }
    return max(reports.items(), key=lambda item: item[1].micro.f1)


def scored_labels(ner: SpanNer, sentences: Iterable[Sentence]) -> list[str]:
    """Return the labels that are scored: the model's targets, and gold labels that are not in its training.

    Gold spans with extension labels are ignored. Those with unknown labels count as missed, with a warning.
    """
    unknown = sorted({span.label for sentence in sentences for span in sentence.spans} - set(ner.labels))
    if unknown:
        log.warning(
            "the model was not trained with these labels, so their spans count as missed: %s", ", ".join(unknown)
        )
    return [*ner.targets, *unknown]


def _above(spans: Iterable[Span], threshold: float) -> list[Span]:
    """Return the spans with a score above the threshold."""
    return [span for span in spans if span.score is not None and span.score > threshold]


def assess(
    sentences: Sequence[Sentence],
    predicted: Sequence[Sequence[Span]],
    labels: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Assessment:
    """Return the assessment of predictions for the same sentences, for spans with one of `labels`."""
    gold = [sentence.spans for sentence in sentences]
    counts = sentence_counts(gold, predicted, labels)
    return Assessment(
        score_spans(gold, predicted, labels),
        count_errors(gold, predicted, labels),
        confidence(counts, seed=seed, resamples=resamples),
    )
