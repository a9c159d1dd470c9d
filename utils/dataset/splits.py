"""The first 25 %, 50 % and 100 % of a dataset, and all that belongs to each (s4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.files.jsonl import JsonObject

AnnotationsByMode = Mapping[Mode, list[JsonObject]]


@dataclass(frozen=True)
class Share:
    """Sentences with the synthetic ones made from them, and the lines of s1 and s3 that answer either."""

    sentences: Sequence[Sentence]
    synthetic: Sequence[Sentence]
    answers: AnnotationsByMode
    synthetic_answers: AnnotationsByMode

    def first(self, percent: int) -> Share:
        """Return the first `percent` of the sentences, rounded down but at least one, and what belongs to them.

        A synthetic sentence belongs to its source; a line of s1 or s3 to the sentence with its id and its text.
        """
        sentences = first_sentences(self.sentences, percent)
        ids = {sentence.id for sentence in sentences}
        synthetic = [sentence for sentence in self.synthetic if str(sentence.row["source"]) in ids]
        return Share(
            sentences,
            synthetic,
            {mode: _answers_to(rows, sentences) for mode, rows in self.answers.items()},
            {mode: _answers_to(rows, synthetic) for mode, rows in self.synthetic_answers.items()},
        )

    @property
    def strays(self) -> int:
        """How many lines of s1 and s3 answer no sentence: its text has changed since, or it is gone."""
        pairs = ((self.answers, self.sentences), (self.synthetic_answers, self.synthetic))
        return sum(
            len(rows) - len(_answers_to(rows, sentences)) for answers, sentences in pairs for rows in answers.values()
        )


def first_sentences(sentences: Sequence[Sentence], percent: int) -> Sequence[Sentence]:
    """Return the first `percent` of the sentences, rounded down but at least one."""
    return sentences[: max(1, len(sentences) * percent // 100)]


def _answers_to(rows: Iterable[JsonObject], sentences: Sequence[Sentence]) -> list[JsonObject]:
    texts = {sentence.id: list(sentence.tokens) for sentence in sentences}
    return [row for row in rows if texts.get(str(row.get("id")), ()) == row.get("text")]
