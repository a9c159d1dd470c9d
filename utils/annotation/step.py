"""The work of s1 and s3: ask an LLM about sentences, and write a line with the found items for each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from utils.annotation.annotator import Annotator
from utils.annotation.answers import Annotation, AnnotationCounts, read_answers
from utils.annotation.rows import AnnotationRow
from utils.annotation.targets.spans import score_rows
from utils.annotation.voting import Voting
from utils.asking.entries import AnswerKey, Entry
from utils.asking.questions import Question
from utils.asking.step import LLMStep
from utils.compute.engine import LOCAL, Engine
from utils.compute.progress import tracked
from utils.dataset.modes import Mode
from utils.dataset.records import Sentence
from utils.dataset.sentence_file import SentenceFile
from utils.files.jsonl import encode_json
from utils.labels.targets import TargetLabels

BLOCK = 250  # sentences: enough that handing a block to another process costs little


@dataclass(frozen=True, slots=True)
class AnsweredSentence:
    """A sentence without its JSON object, and the answers to it."""

    sentence: Sentence
    answers: Sequence[str]
    is_beyond_limit: bool  # after the last sentence that this run asks about


@dataclass(frozen=True)
class AnnotatedBlock:
    """The lines of some sentences as bytes, and their counts."""

    data: bytes
    counts: AnnotationCounts


@dataclass(frozen=True)
class AnswerReader:
    """Reads the answers to a block of sentences; it can be sent to another process."""

    mode: Mode
    voting: Voting | None
    targets: TargetLabels | None  # None: other modes
    nested: bool | None  # whether spans that are compared with gold spans may overlap; None: they are not compared

    @classmethod
    def of(cls, annotator: Annotator, sentences: Sequence[Sentence]) -> AnswerReader:
        """Return the reader for an annotator's answers to these sentences; gold spans are those of original ones."""
        is_target = annotator.mode == "target"
        has_gold = is_target and not any(sentence.is_synthetic for sentence in sentences)
        nested = annotator.bounds is None or annotator.bounds.nested
        targets = TargetLabels.of(annotator.labels) if is_target else None
        return cls(annotator.mode, annotator.voting, targets, nested if has_gold else None)

    def __call__(self, block: Sequence[AnsweredSentence]) -> AnnotatedBlock:
        """Return the lines of the sentences of a block."""
        sentences = [one.sentence for one in block]
        annotations = [read_answers(one.answers, one.sentence, self.mode, self.voting, self.targets) for one in block]
        rows = [
            annotation.row_of(sentence, self.mode, asked=_has_text(sentence))
            for sentence, annotation in zip(sentences, annotations, strict=True)
        ]
        counts = _counts(annotations, rows)
        beyond = sum(row.status == "skipped" for row, one in zip(rows, block, strict=True) if one.is_beyond_limit)
        counts = replace(counts, beyond_limit=beyond)
        if self.voting:
            counts = replace(counts, outvoted=sum(annotation.outvoted for annotation in annotations))
        if self.targets:
            counts = replace(counts, unknown=sum(annotation.unknown for annotation in annotations))
        if self.nested is not None:
            scored, scores = score_rows(sentences, rows, nested=self.nested)
            counts = replace(counts, scored=scored, scores=scores)
        return AnnotatedBlock(b"".join(encode_json(row.to_json()) + b"\n" for row in rows), counts)


def annotate(
    sentences: Sequence[Sentence],
    annotator: Annotator,
    step: LLMStep,
    *,
    skip: int = -1,
    limit: int | None = None,
    engine: Engine = LOCAL,
) -> AnnotationCounts:
    """Ask about the `limit` sentences after the first `skip`, and publish a line for every sentence.

    The answers are read by the processes of `engine`.
    """
    with step.start() as run:
        missing, answered = unanswered_questions(sentences, annotator, run.journal.entries, skip=skip, limit=limit)
        run.ask(missing, answered=answered)
        end = len(sentences) if limit is None else max(0, skip) + limit
        blocks = _read_blocks(sentences, annotator, run.journal.entries, end)
        read = engine.map(AnswerReader.of(annotator, sentences), blocks)
        total = math.ceil(len(sentences) / BLOCK)
        counts = None
        with run.result_file() as file:
            for block in tracked(read, f"writing {step.result.name}", total=total, unit="block"):
                file.write(block.data)
                counts = block.counts if counts is None else counts + block.counts
        counts = counts or AnnotationCounts(0, 0, 0, 0, 0)
        run.write_manifest(counts)
        return replace(counts, used=run.used)


def unanswered_questions(
    sentences: Sequence[Sentence],
    annotator: Annotator,
    entries: Mapping[AnswerKey, Entry],
    *,
    skip: int = -1,
    limit: int | None = None,
) -> tuple[list[Question], int]:
    """Return the questions of `questions` that have no recorded answer, and the number of the others."""
    part = sentences[max(0, skip) :][:limit]
    found: list[Question] = []
    answered = 0
    for number, (id_, input_hash) in enumerate(_input_hashes(part, annotator)):
        keys = _keys(id_, input_hash, annotator)
        missing = [sample for sample, key in enumerate(keys) if key not in entries]
        answered += len(keys) - len(missing)
        if missing and _has_text(sentence := part[number]):
            found += [annotator.question(sentence, sample) for sample in missing]
    return found, answered


def questions(
    sentences: Sequence[Sentence], annotator: Annotator, *, skip: int = -1, limit: int | None = None
) -> list[Question]:
    """Return the questions about the `limit` sentences after the first `skip`; none about sentences without text."""
    chosen = [sentence for sentence in sentences[max(0, skip) :][:limit] if _has_text(sentence)]
    return [annotator.question(sentence, sample) for sentence in chosen for sample in range(annotator.num_answers)]


def _read_blocks(
    sentences: Sequence[Sentence], annotator: Annotator, entries: Mapping[AnswerKey, Entry], end: int
) -> Iterator[list[AnsweredSentence]]:
    """Yield all sentences with their recorded answers, in blocks; those from number `end` on are beyond the limit."""
    answered = (
        AnsweredSentence(
            replace(sentence, row={}),
            [entries[key].answer for key in _keys(id_, input_hash, annotator) if key in entries],
            number >= end,
        )
        for number, (sentence, (id_, input_hash)) in enumerate(
            zip(sentences, _input_hashes(sentences, annotator), strict=True)
        )
    )
    while block := list(islice(answered, BLOCK)):
        yield block


def _input_hashes(sentences: Sequence[Sentence], annotator: Annotator) -> Iterator[tuple[str, str]]:
    """Yield the id and the input hash of each sentence; their file is not parsed if it has the hashes already."""
    if isinstance(sentences, SentenceFile) and not annotator.shows_examples:
        return sentences.text_hashes()
    return ((sentence.id, annotator.input_hash(sentence)) for sentence in sentences)


def _keys(id_: str, input_hash: str, annotator: Annotator) -> list[AnswerKey]:
    """Return the keys of the answers to a sentence."""
    return [(id_, annotator.mode, input_hash, sample) for sample in range(annotator.num_answers)]


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


def _has_text(sentence: Sentence) -> bool:
    return any(token.strip() for token in sentence.tokens)
