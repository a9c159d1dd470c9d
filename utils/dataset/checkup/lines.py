"""The lines of a file, read so that one bad line does not hide what is wrong with the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from utils.dataset.checkup.findings import Finding, found
from utils.dataset.formats.documents import Document, RawSpan
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.conventions import Convention, Offsets
from utils.dataset.formats.spans.offsets import find_convention, fit_offsets
from utils.dataset.offsets import LocatedSpan, find_cut_short
from utils.dataset.records import INCLUSIVE_ENDS, Sentence, Span, read_spans, sentence_from_row
from utils.dataset.tokens import Tokenisation
from utils.files.compressed import bounded_lines, check_line, open_input
from utils.files.jsonl import decode_utf8
from utils.wording import counted

ADVICE = "convert.py corrects them: run it with --from=project"


@dataclass(frozen=True)
class SplitLines:
    """The sentences of a file that can be read, the numbers of their lines, and what is wrong with the others."""

    path: Path
    sentences: tuple[Sentence, ...]
    numbers: tuple[int, ...]
    findings: tuple[Finding, ...]

    def where(self, index: int) -> str:
        """Return the place of a sentence, such as "dev.jsonl:17"."""
        return f"{self.path.name}:{self.numbers[index]}"


@dataclass
class _Faults:
    """The messages about lines and about spans, in the order of the file."""

    lines: list[str] = field(default_factory=list)
    spans: list[str] = field(default_factory=list)


def read_lines(path: Path, tokenisation: Tokenisation) -> SplitLines:
    """Return what can be read of a file of sentences; a span that cannot be read is left out of its sentence."""
    faults = _Faults()
    sentences, numbers, documents = [], [], []
    for number, row in _rows(path, faults):
        where = f"{path.name}:{number}"
        try:
            sentence = sentence_from_row({**row, "entities": []}, id=str(number), tokenisation=tokenisation)
            if not isinstance(row.get("entities"), list):
                sentence_from_row(row, id=str(number), tokenisation=tokenisation)
        except ValueError as error:
            faults.lines.append(f"{where}: {error}")
            continue
        documents.append(Document(where, sentence.tokens, tuple(_raw_spans(row["entities"]))))
        sentences.append(_with_spans(sentence, row, where, faults))
        numbers.append(number)
    findings = found("error", "line", len(faults.lines), "line", "cannot be read", _first(faults.lines))
    if convention := _other_convention(path, documents):
        sentences = _mended(path, documents, sentences)
        total = sum(len(document.spans) for document in documents)
        message = f"{path.name}: the offsets of {counted(total, 'span')} are {convention}: {ADVICE}"
        findings.append(Finding("error", "offsets", message, total))
    else:
        findings += found("error", "span", len(faults.spans), "span", "cannot be read", _first(faults.spans))
        findings += _offset_findings(path, sentences, numbers)
    return SplitLines(path, tuple(sentences), tuple(numbers), tuple(findings))


def _rows(path: Path, faults: _Faults) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with open_input(path) as file:
        for number, _, line in bounded_lines(file):
            where = f"{path.name}:{number}"
            try:
                check_line(line, path.name, number)
                text = decode_utf8(line, where)
                row = json.loads(text) if text.strip() else None
            except (ValueError, RecursionError) as error:
                message = str(error).removeprefix(f"{where}: ")
                faults.lines.append(f"{where}: {message}")
                continue
            if isinstance(row, dict):
                yield number, row
            elif row is not None:
                faults.lines.append(f"{where}: expected a JSON object, found {type(row).__name__}")


def _with_spans(sentence: Sentence, row: Mapping[str, Any], where: str, faults: _Faults) -> Sentence:
    spans: list[Span] = []
    for number, entity in enumerate(row["entities"], start=1):
        try:
            spans += read_spans([entity], sentence.tokens)
        except ValueError as error:
            faults.spans.append(f"{where}: {str(error).replace('entity 1', f'entity {number}', 1)}")
    return Sentence(sentence.id, sentence.tokens, tuple(spans), row)


def _raw_spans(entities: list[Any]) -> Iterator[RawSpan]:
    """Yield the spans with whole numbers as offsets, also those that leave their sentence."""
    for entity in entities:
        if isinstance(entity, dict) and type(entity.get("start")) is int and type(entity.get("end")) is int:
            text = entity.get("text")
            mention = "".join(map(str, text)) if isinstance(text, list) else text
            yield RawSpan(entity["start"], entity["end"], str(entity.get("entity")), mention or None)


def _other_convention(path: Path, documents: list[Document]) -> Convention | None:
    """Return how all offsets of a file are counted, if it is not how this project counts them; else None."""
    convention = find_convention(documents, Offsets(), Losses(), str(path), tokens=True)
    return None if convention == Offsets().first(tokens=True) else convention


def _mended(path: Path, documents: list[Document], sentences: list[Sentence]) -> list[Sentence]:
    """Return the sentences with the spans that they have with corrected offsets, so that other faults can be found."""
    fitted = fit_offsets(documents, Offsets(), Losses(), str(path))
    return [
        replace(sentence, spans=tuple(Span(span.start, span.end, span.label) for span in document.spans))
        for sentence, document in zip(sentences, fitted, strict=True)
    ]


def _offset_findings(path: Path, sentences: list[Sentence], numbers: list[int]) -> list[Finding]:
    """Return what is wrong with the offsets of single spans, and ends that seem to be inclusive."""
    spans = [
        LocatedSpan(number, sentence, span)
        for number, sentence in zip(numbers, sentences, strict=True)
        for span in sentence.spans
    ]
    wrong = [span for span in spans if (text := span.text) is not None and not span.covers(text)]
    example = f"{path.name}:{wrong[0].line}: {dict(wrong[0].span.row or {})}" if wrong else ""
    findings = found("error", "text", len(wrong), "span", 'has|have a "text" that is not at its offsets', example)
    if cut := find_cut_short([span for span in spans if span.text is None]):
        tokens = " ".join(cut.sentence.tokens[cut.span.start : cut.span.end + 1])
        message = (
            f"{path.name}: many spans seem to end one token early: {INCLUSIVE_ENDS.split(':')[0]} or run convert.py"
        )
        findings.append(
            Finding("error", "inclusive ends", f"{message} --ends=inclusive", example=f"line {cut.line}: {tokens!r}?")
        )
    return findings


def _first(messages: list[str]) -> str:
    return messages[0] if messages else ""
