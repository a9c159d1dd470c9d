"""The project's own format, read so that offsets which do not fit are corrected, and not refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    list_of,
    number_of,
    optional_text,
    read_each,
    read_objects,
    score_of,
    text_of,
)
from utils.dataset.records import Sentence, sentence_to_row
from utils.dataset.tokens import tokenisation_of
from utils.files.jsonl import JsonObject, write_rows


def read_project(path: Path, context: ReadContext) -> list[Document]:
    """Return the sentences of a file; a text that is a string is cut into tokens, which its offsets count."""
    made = context.tokenisation or tokenisation_of(_texts(path))

    def read(row: JsonObject, where: str) -> Document:
        text = row["text"]
        tokens = tuple(made.split(text)) if isinstance(text, str) else tuple(text_of(token, "text") for token in text)
        spans = tuple(map(_span, list_of(row["entities"], "entities")))
        return Document(where, tokens, spans, row=row)

    return read_each(path, read)


def _texts(path: Path) -> Iterator[str | list[str]]:
    """Yield the texts that can be read, to find the tokenisation."""
    for _, row in read_objects(path):
        text = row.get("text")
        if isinstance(text, str) or (isinstance(text, list) and all(isinstance(token, str) for token in text)):
            yield text


def _span(entity: Any) -> RawSpan:
    start, end = number_of(entity["start"], "start"), number_of(entity["end"], "end")
    text = entity.get("text")
    mention = "".join(map(str, text)) if isinstance(text, list) else text
    label = text_of(entity["entity"], "entity")
    origin, score = optional_text(entity.get("origin")), score_of(entity.get("score"))
    return RawSpan(start, end, label, optional_text(mention), origin, score, row=entity)


def write_project(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write sentences as JSON Lines."""
    write_rows(path, map(sentence_to_row, sentences))
