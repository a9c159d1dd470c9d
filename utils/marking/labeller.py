"""Target labels for synthetic sentences: spans and scores of trained span models, and spans of the LLM."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee

from utils.compute.progress import tracked
from utils.dataset.records import LLM_SPANS, TARGET_SCORES, Sentence, Span, sentence_to_row
from utils.files.jsonl import JsonObject
from utils.marking.judged_texts import JudgedTexts
from utils.ner.prediction.judgement import Judge, Judgement, mean_judgement

# Id of a sentence -> spans that the LLM found; None: it was not asked.
LLMSpans = Callable[[str], Sequence[Span] | None]


@dataclass(frozen=True)
class Teachers:
    """One or several models that label together: the score of a cell is the mean of their scores."""

    judges: Sequence[Judge]
    threshold: float  # of the mean score; a single model has its own
    nested: bool

    def judge(self, texts: Iterable[Sequence[str]]) -> Iterator[Judgement]:
        """Yield the joint judgement of each text; the longest texts must come first."""
        judged = [judge(part) for judge, part in zip(self.judges, tee(texts, len(self.judges)), strict=True)]
        if len(judged) == 1:
            yield from judged[0]
            return
        for one in zip(*judged, strict=True):
            yield mean_judgement(one, threshold=self.threshold, nested=self.nested)


class TargetLabeller:
    """Labels sentences with the same teachers. Each text is judged once, even if several sizes contain it."""

    def __init__(self, teachers: Teachers, labels: Collection[str]) -> None:
        self.labels = labels  # that are kept
        self._teachers = teachers
        self._judged = JudgedTexts()

    def label(self, sentences: Sequence[Sentence], llm_spans: LLMSpans | None = None) -> Iterator[JsonObject]:
        """Yield the sentences' rows, with the predicted spans as their only entities, and the scores of all cells.

        `llm_spans` returns the target spans that the LLM found; they are added beside them.
        """
        if number := self._judged.add(sentence.tokens for sentence in sentences):
            self._judge(number)
        for sentence in sentences:
            yield self._row(sentence, llm_spans(sentence.id) if llm_spans else None)

    def _judge(self, number: int) -> None:
        """Judge the new texts, of which there are `number`."""
        numbered, texts = tee(self._judged.unjudged())
        judgements = self._teachers.judge(tokens for _, tokens in texts)
        for judgement in tracked(judgements, "predicting", total=number, unit="sentence"):
            self._judged.judge(next(numbered)[0], judgement)

    def _row(self, sentence: Sentence, llm_spans: Sequence[Span] | None) -> JsonObject:
        judged = self._judged.find(sentence.tokens)
        spans = tuple(replace(span, origin="ner") for span in judged.spans if span.label in self.labels)
        row = sentence_to_row(replace(sentence, spans=spans))
        row[TARGET_SCORES] = self._cells(judged.cells)
        if llm_spans is not None:
            row[LLM_SPANS] = self._cells(llm_spans)
        return row

    def _cells(self, spans: Iterable[Span]) -> list[JsonObject]:
        """Return spans with one of the kept labels as JSON objects, without their text."""
        return [
            {"start": span.start, "end": span.end, "entity": span.label}
            | ({} if span.score is None else {"score": span.score})
            for span in spans
            if span.label in self.labels
        ]
