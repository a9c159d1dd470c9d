"""The sizes of a dataset: its first 25 %, 50 % and 100 %, with the synthetic sentences and annotations of each (s4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from utils.dataset.layout import SIZES
from utils.dataset.modes import Mode
from utils.dataset.records import UNKNOWN_SOURCE, Sentence
from utils.files.jsonl import JsonObject

AnnotationsByMode = Mapping[Mode, list[JsonObject]]


@dataclass(frozen=True)
class Share:
    """Sentences, the synthetic sentences made from them, and the annotation rows of both (s1 and s3)."""

    sentences: Sequence[Sentence]
    synthetic: Sequence[Sentence]
    annotations: AnnotationsByMode
    synthetic_annotations: AnnotationsByMode

    def first(self, percent: int) -> Share:
        """Return the first `percent` of the sentences, rounded down but at least one, and everything made from them.

        A synthetic sentence belongs to its source sentence, a row to the sentence that has its id and its text. A
        synthetic sentence of an unknown source belongs to the 100 % alone, and a sentence of raw text to every size.
        """
        sentences = first_sentences(self.sentences, percent)
        synthetic = made_from(self.synthetic, sentences, is_whole=percent == 100)
        return Share(
            sentences,
            synthetic,
            {mode: _rows_of(sentences, rows) for mode, rows in self.annotations.items()},
            {mode: _rows_of(synthetic, rows) for mode, rows in self.synthetic_annotations.items()},
        )

    @property
    def stray_rows(self) -> int:
        """The number of annotation rows without a sentence: its text has changed, or it was removed."""
        pairs = ((self.sentences, self.annotations), (self.synthetic, self.synthetic_annotations))
        return sum(
            len(rows) - len(_rows_of(sentences, rows))
            for sentences, annotations in pairs
            for rows in annotations.values()
        )


def first_sentences(sentences: Sequence[Sentence], percent: int) -> Sequence[Sentence]:
    """Return the first `percent` of the sentences, rounded down but at least one."""
    return sentences[: share_of(len(sentences), percent)]


def smallest_size(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return the sentences that every size has. What all sizes share, such as a prompt, may depend on these only."""
    return first_sentences(sentences, min(SIZES.values()))


def share_of(total: int, percent: int) -> int:
    """Return how many of `total` sentences the first `percent` are."""
    return max(1, total * percent // 100)


def made_from(synthetic: Iterable[Sentence], sentences: Iterable[Sentence], *, is_whole: bool) -> list[Sentence]:
    """Return the synthetic sentences made from `sentences`; `is_whole`: these are all sentences of the dataset.

    Sentences of raw text are made from none. They belong to every size.
    """
    sources = {sentence.id for sentence in sentences} | ({str(UNKNOWN_SOURCE)} if is_whole else set())
    return [one for one in synthetic if one.is_raw or str(one.source) in sources]


def _rows_of(sentences: Iterable[Sentence], rows: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the rows that have the id and the text of one of the sentences."""
    texts = {sentence.id: list(sentence.tokens) for sentence in sentences}
    return [row for row in rows if texts.get(str(row.get("id")), ()) == row.get("text")]
