"""The work of s1 and s3: ask an LLM about sentences, and write a line with the found items for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from utils.annotation.annotator import Annotator
from utils.annotation.answers import Annotation, read_answers
from utils.annotation.rows import AnnotationRow
from utils.annotation.targets.spans import score_rows
from utils.asking.journal import Journal
from utils.asking.questions import Question
from utils.asking.step import LLMStep
from utils.dataset.records import Sentence
from utils.dataset.scores import Scores
from utils.labels.targets import TargetLabels
from utils.wording import agreeing, counted


@dataclass(frozen=True, slots=True)
class AnnotationCounts:
    """How many sentences and items a step has, and how many were lost."""

    sentences: int
    skipped: int
    unreadable: int  # sentences without a readable answer
    items: int
    lost: int  # items that are not in their sentence
    outvoted: int | None = None  # spans with too few votes; None without votes
    unknown: int | None = None  # items without a target label; None in other modes
    scored: int | None = None  # gold sentences that the LLM was asked about; None in other modes and without gold
    scores: Scores | None = None  # of the target spans on these sentences
    beyond_limit: int = 0  # of the skipped sentences, those after the `limit` of this run
    used: str = ""  # what the answers of this run took, in words

    def __str__(self) -> str:
        by_skip = self.skipped - self.beyond_limit
        skipped = f"{by_skip} skipped, " if by_skip else ""
        skipped += f"{self.beyond_limit} not asked (--limit), " if self.beyond_limit else ""
        outvoted = "" if self.outvoted is None else f", {counted(self.outvoted, 'span')} outvoted"
        unknown = "" if self.unknown is None else f", {self.unknown} without a target label"
        unreadable, items = counted(self.unreadable, "answer"), counted(self.items, "item")
        whose = agreeing(self.items, "its", "their")
        return (
            f"annotated {counted(self.sentences, 'sentence')}: {skipped}{unreadable} unreadable, "
            f"{self.lost} of {items} not in {whose} sentence{unknown}{outvoted}{self._agreement}{self.used}"
        )

    @property
    def _agreement(self) -> str:
        """How well the LLM annotates the target labels, in words; "" where it is not known."""
        if self.scores is None or not self.scored:
            return ""
        return f"; as an annotator of the target labels: {self.scores} on {counted(self.scored, 'gold sentence')}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts for a manifest, without those of this run alone."""
        row = {name: number for name, number in asdict(self).items() if number is not None}
        del row["beyond_limit"], row["used"]
        return row

    @property
    def advice(self) -> str | None:
        """What to try if more than half of the answers, or of the items, were lost; None otherwise."""
        if 2 * self.unreadable > self.sentences - self.skipped:
            return "most answers are unreadable: try a larger model, or one that supports --guided"
        if 2 * (self.unknown or 0) > self.items > 0:
            return "most items do not have a target label: try a larger model, or one that supports --guided"
        if 2 * self.lost > self.items > 0:
            return "most items are not in their sentence: try a larger model, or one that supports --guided"
        return None


def annotate(
    sentences: Sequence[Sentence], annotator: Annotator, step: LLMStep, *, skip: int = -1, limit: int | None = None
) -> AnnotationCounts:
    """Ask about the `limit` sentences after the first `skip`, and publish a line for every sentence."""
    with step.start() as run:
        run.ask(questions(sentences, annotator, skip=skip, limit=limit))
        rows, counts = annotation_rows(sentences, annotator, run.journal)
        run.publish(rows, counts)
        counts = replace(counts, used=run.used)
    rest = rows[max(0, skip) :][limit:] if limit is not None else []
    return replace(counts, beyond_limit=sum(row["status"] == "skipped" for row in rest))


def questions(
    sentences: Sequence[Sentence], annotator: Annotator, *, skip: int = -1, limit: int | None = None
) -> list[Question]:
    """Return the questions about the `limit` sentences after the first `skip`; none about sentences without text."""
    chosen = [sentence for sentence in sentences[max(0, skip) :][:limit] if _has_text(sentence)]
    return [annotator.question(sentence, sample) for sentence in chosen for sample in range(annotator.num_answers)]


def annotation_rows(
    sentences: Sequence[Sentence], annotator: Annotator, journal: Journal
) -> tuple[list[dict[str, Any]], AnnotationCounts]:
    """Return a line for each sentence, made from the recorded answers, and the counts of all lines."""
    targets = TargetLabels.of(annotator.labels) if annotator.mode == "target" else None
    annotations = [
        read_answers(
            _recorded_answers(sentence, annotator, journal), sentence, annotator.mode, annotator.voting, targets
        )
        for sentence in sentences
    ]
    rows = [
        annotation.row_of(sentence, annotator.mode, asked=_has_text(sentence))
        for sentence, annotation in zip(sentences, annotations, strict=True)
    ]
    counts = _counts(annotations, rows)
    if annotator.voting:
        counts = replace(counts, outvoted=sum(annotation.outvoted for annotation in annotations))
    if targets:
        counts = replace(counts, unknown=sum(annotation.unknown for annotation in annotations))
    if targets and not any(sentence.is_synthetic for sentence in sentences):
        scored, scores = score_rows(sentences, rows, nested=annotator.bounds is None or annotator.bounds.nested)
        counts = replace(counts, scored=scored, scores=scores)
    return [row.to_json() for row in rows], counts


def _counts(annotations: Sequence[Annotation], rows: Sequence[AnnotationRow]) -> AnnotationCounts:
    """Return the counts that all modes have."""
    statuses = [row.status for row in rows]
    return AnnotationCounts(
        sentences=len(rows),
        skipped=statuses.count("skipped"),
        unreadable=statuses.count("unreadable"),
        items=sum(annotation.num_items for annotation in annotations),
        lost=sum(annotation.lost for annotation in annotations),
    )


def _recorded_answers(sentence: Sentence, annotator: Annotator, journal: Journal) -> list[str]:
    """Return the answers to a sentence that are in the journal."""
    input_hash = annotator.input_hash(sentence)
    keys = [(sentence.id, annotator.mode, input_hash, sample) for sample in range(annotator.num_answers)]
    return [journal.entries[key].answer for key in keys if key in journal.entries]


def _has_text(sentence: Sentence) -> bool:
    return any(token.strip() for token in sentence.tokens)
