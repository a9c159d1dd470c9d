"""brat: a folder with a text (.txt) and its annotations (.ann) for each document."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import score_of
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.details import count_rows, details
from utils.dataset.formats.standoff.texts import WrittenSentence, note_lost_tokens, written
from utils.dataset.formats.text_marks import mark_before
from utils.dataset.records import Sentence
from utils.files.jsonl import read_text, replace_file

SENTENCES = 50  # of a document: brat becomes slow with many more
KINDS = {"R": "relation", "*": "relation", "E": "event", "A": "attribute", "M": "attribute", "N": "normalisation"}

_LINE_BREAK = re.compile(r"[\r\n]")
_SPACE = re.compile(r"\s+")


def read_brat(path: Path, context: ReadContext) -> list[Document]:
    """Return the document of a .txt file, with the spans of the .ann file beside it."""
    text = read_text(path)
    annotations = path.with_suffix(".ann")
    spans: dict[str, RawSpan] = {}
    notes: dict[str, dict[str, Any]] = {}
    if annotations.is_file():
        for number, line in enumerate(_lines(annotations), start=1):
            where = f"{annotations}:{number}"
            if line.startswith("T"):
                id_, span = _span(line, where)
                spans[id_] = span
            elif line.startswith("#"):
                _add_note(line, notes)
            elif line.strip():
                context.losses.add(KINDS.get(line[0], "line"), "left out", example=where)
    else:
        context.losses.add("text", "has no .ann file: read as a text without spans", example=path)
    return [Document(str(path), text, tuple(_with_note(span, notes.get(id_, {})) for id_, span in spans.items()))]


def _lines(path: Path) -> list[str]:
    return [line.rstrip("\r") for line in read_text(path).split("\n")]


def _span(line: str, where: str) -> tuple[str, RawSpan]:
    r"""Return the id and the span of a line such as `T1\tPER 0 4;6 9\tAnna Lee`."""
    fields = line.split("\t")
    try:
        label, places = fields[1].split(" ", maxsplit=1)
        pieces = tuple(tuple(map(int, piece.split())) for piece in places.split(";"))
        pairs = tuple((start, end) for start, end in pieces)
    except (ValueError, IndexError):
        raise ValueError(f"{where}: expected T1, a tab, a label and offsets, a tab, and the text") from None
    text = fields[2] if len(fields) > 2 else None
    start, end = min(start for start, _ in pairs), max(end for _, end in pairs)
    return fields[0], RawSpan(start, end, label, text, pieces=pairs if len(pairs) > 1 else ())


def _add_note(line: str, notes: dict[str, dict[str, Any]]) -> None:
    r"""Add the origin and the score in a note such as `#1\tAnnotatorNotes T1\t{"score": 0.9}`; others are skipped."""
    fields = line.split("\t")
    if len(fields) == 3 and fields[2].startswith("{"):
        try:
            value = json.loads(fields[2])
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            notes[fields[1].rpartition(" ")[2]] = value


def _with_note(span: RawSpan, note: dict[str, Any]) -> RawSpan:
    origin = note.get("origin")
    return replace(span, origin=origin if isinstance(origin, str) else None, score=score_of(note.get("score")))


def write_brat(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write documents of 50 sentences, a line each: `<path>-0001.txt` and `.ann`, and annotation.conf."""
    count_rows(sentences, context.losses)
    texts = written(sentences, context.tokenisation)
    note_lost_tokens(texts, context.losses)
    for number, first in enumerate(range(0, len(texts), SENTENCES), start=1):
        lines = list(_document(texts[first : first + SENTENCES], context.losses))
        name = f"{path.name}-{number:04d}"
        _write(path.with_name(f"{name}.txt"), (text for text, _ in lines))
        _write(path.with_name(f"{name}.ann"), (line for _, annotations in lines for line in annotations))
    labels = [_label(label) for label in context.labels]
    _write(path.with_name("annotation.conf"), ["[entities]", *labels, "[relations]", "[events]", "[attributes]"])


def _document(sentences: Sequence[WrittenSentence], losses: Losses) -> Iterator[tuple[str, list[str]]]:
    """Yield the line of each sentence, and the lines of its annotations."""
    begin = 0
    number: Counter[str] = Counter()
    for sentence in sentences:
        text = _LINE_BREAK.sub(" ", sentence.text)
        if text != sentence.text:
            losses.add("line break", "written as a space", example=f"sentence {sentence.sentence.id}")
        if sentence.separator and any(_SPACE.search(token) for token in sentence.sentence.tokens):
            losses.add("sentence", "a token contains a space: it is cut there when it is read again", example=text)
        lines = []
        for span in sentence.sentence.spans:
            start, end = sentence.place(span)
            label = _label(span.label)
            if label != span.label:
                losses.add("label", "contains a space: written with _", example=span.label)
            number["T"] += 1
            lines.append(f"T{number['T']}\t{label} {begin + start} {begin + end}\t{text[start:end]}")
            if note := details(span):
                number["#"] += 1
                lines.append(f"#{number['#']}\tAnnotatorNotes T{number['T']}\t{json.dumps(note)}")
        yield text, lines
        begin += len(text) + 1


def _label(label: str) -> str:
    return _SPACE.sub("_", label)


def _write(path: Path, lines: Iterator[str] | Sequence[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    with replace_file(path) as file:
        file.write(mark_before(text) + text.encode())
