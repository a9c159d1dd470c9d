"""Files with predicted and gold spans, so that two systems can be compared without running them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.reading import read_sentences
from utils.dataset.records import Sentence, Span, SpanKey, sentence_from_row, sentence_to_row, span_to_row
from utils.dataset.tokens import WORDS
from utils.files.jsonl import JsonObject
from utils.files.manifest import read_manifest
from utils.ner.scoring.bootstrap import RESAMPLES, Comparison, CountArray, compare, sentence_counts
from utils.ner.scoring.metrics import ScoreReport, score_spans
from utils.wording import counted

PREDICTED = "predicted"


@dataclass(frozen=True, slots=True)
class Output:
    """A file of predictions: the gold sentences, the spans predicted for each, and the scored labels."""

    file: Path
    sentences: Sequence[Sentence]
    predicted: Sequence[Sequence[Span]]
    labels: frozenset[str]

    def counts(self, labels: frozenset[str]) -> CountArray:
        """Return the span counts of each sentence, for spans with one of `labels`."""
        return sentence_counts(self._gold, self.predicted, labels)

    def report(self, labels: frozenset[str]) -> ScoreReport:
        """Return the scores of spans with one of `labels`."""
        return score_spans(self._gold, self.predicted, sorted(labels))

    @property
    def _gold(self) -> list[tuple[Span, ...]]:
        return [sentence.spans for sentence in self.sentences]


def output_rows(sentences: Sequence[Sentence], predicted: Sequence[Sequence[Span]]) -> Iterator[JsonObject]:
    """Yield each sentence's row with its gold spans, unchanged, as "entities" and the predicted ones as "predicted"."""
    for sentence, spans in zip(sentences, predicted, strict=True):
        yield {**sentence_to_row(sentence), PREDICTED: [span_to_row(span, sentence.tokens) for span in spans]}


def read_output(file: Path) -> Output:
    """Return a file of predictions; raise ValueError if a sentence has none.

    The scored labels are those in the file's manifest, or without a manifest all labels in the file.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: evaluate_ner.py --output={shlex.quote(str(file))} writes it")
    sentences = read_sentences(file, tokenisation=WORDS)
    predicted = [_predicted(sentence, file) for sentence in sentences]
    manifest = read_manifest(file)
    labels = manifest.parameters.get("labels") if manifest else None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        gold = (span.label for sentence in sentences for span in sentence.spans)
        labels = [*gold, *(span.label for spans in predicted for span in spans)]
    return Output(file, sentences, predicted, frozenset(labels))


def compare_outputs(first: Output, second: Output, *, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Return the comparison of two files' predictions; raise ValueError if their gold sentences differ."""
    if len(first.sentences) != len(second.sentences):
        raise ValueError(
            f"{first.file} has {counted(len(first.sentences), 'sentence')} and {second.file} {len(second.sentences)}: "
            "compare predictions on one test file"
        )
    for one, other in zip(first.sentences, second.sentences, strict=True):
        if (one.tokens, _gold(one)) != (other.tokens, _gold(other)):
            raise ValueError(
                f"sentence {one.id} of {first.file} and of {second.file} differ in text or gold spans: "
                "compare predictions on one test file"
            )
    labels = first.labels | second.labels
    return compare(first.counts(labels), second.counts(labels), seed=seed, resamples=resamples)


def _predicted(sentence: Sentence, file: Path) -> tuple[Span, ...]:
    """Return the predicted spans in a sentence's row; raise ValueError if they are missing or malformed."""
    if PREDICTED not in sentence.row:
        raise ValueError(
            f'{file}: sentence {sentence.id} has no "{PREDICTED}": give files that evaluate_ner.py --output wrote'
        )
    row = {"text": list(sentence.tokens), "entities": sentence.row[PREDICTED]}
    try:
        return sentence_from_row(row, id=sentence.id, tokenisation=WORDS).spans
    except ValueError as error:
        raise ValueError(f'{file}: sentence {sentence.id}, "{PREDICTED}": {error}') from None


def _gold(sentence: Sentence) -> set[SpanKey]:
    return {span.key for span in sentence.spans}
