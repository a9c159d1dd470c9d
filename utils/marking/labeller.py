"""Target labels for synthetic sentences: spans and scores of trained span models, and spans of the LLM."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from utils.dataset.records import LLM_SPANS, TARGET_SCORES, Sentence, Span, sentence_to_row
from utils.files.jsonl import JsonObject
from utils.ner.prediction.judgement import Judge, Judgement, mean_judgement

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Teachers:
    """One or several models that label together: the score of a cell is the mean of their scores."""

    judges: Sequence[Judge]
    threshold: float  # of the mean score; a single model has its own
    nested: bool

    def judge(self, texts: Sequence[Tokens]) -> Sequence[Judgement]:
        """Return the joint judgement of each text."""
        judged = [judge(texts) for judge in self.judges]
        if len(judged) == 1:
            return judged[0]
        return [mean_judgement(one, threshold=self.threshold, nested=self.nested) for one in zip(*judged, strict=True)]


class TargetLabeller:
    """Labels sentences with the same teachers. Each text is judged once, even if several sizes contain it."""

    def __init__(self, teachers: Teachers, labels: Collection[str]) -> None:
        self.labels = labels  # that are kept
        self._teachers = teachers
        self._judged: dict[Tokens, Judgement] = {}

    def label(
        self, sentences: Sequence[Sentence], llm_spans: Mapping[str, Sequence[Span]] | None = None
    ) -> list[JsonObject]:
        """Return the sentences' rows, with the predicted spans as their only entities, and the scores of all cells.

        `llm_spans` are the target spans that the LLM found, by the id of the sentence; they are added beside them.
        """
        new = list(dict.fromkeys(s.tokens for s in sentences if s.tokens not in self._judged))
        if new:
            self._judged.update(zip(new, self._teachers.judge(new), strict=True))
        return [self._row(sentence, llm_spans) for sentence in sentences]

    def _row(self, sentence: Sentence, llm_spans: Mapping[str, Sequence[Span]] | None) -> JsonObject:
        judged = self._judged[sentence.tokens]
        spans = tuple(replace(span, origin="ner") for span in judged.spans if span.label in self.labels)
        row = sentence_to_row(replace(sentence, spans=spans))
        row[TARGET_SCORES] = self._cells(judged.cells)
        if llm_spans is not None and sentence.id in llm_spans:
            row[LLM_SPANS] = self._cells(llm_spans[sentence.id])
        return row

    def _cells(self, spans: Iterable[Span]) -> list[JsonObject]:
        """Return spans with one of the kept labels as JSON objects, without their text."""
        return [
            {"start": span.start, "end": span.end, "entity": span.label}
            | ({} if span.score is None else {"score": span.score})
            for span in spans
            if span.label in self.labels
        ]
