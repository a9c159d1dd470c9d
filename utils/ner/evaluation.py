"""How well a span model does on annotated sentences."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from utils.ner.metrics import Report, score_spans
from utils.ner.predictor import SpanNer
from utils.records import Sentence

log = logging.getLogger(__name__)


def evaluate(ner: SpanNer, sentences: Sequence[Sentence], *, batch_size: int, progress: bool = False) -> Report:
    """Return the model's report on some sentences.

    Gold spans with extension labels are left out. Those with labels that the model has never seen count as missed.
    """
    unknown = sorted({span.label for sentence in sentences for span in sentence.spans} - set(ner.labels))
    if unknown:
        log.warning("the model does not know these labels, so their spans count as missed: %s", ", ".join(unknown))
    predicted = ner.predict([sentence.tokens for sentence in sentences], batch_size, progress=progress)
    return score_spans([sentence.spans for sentence in sentences], predicted, [*ner.targets, *unknown])
