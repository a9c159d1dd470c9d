"""Exports of doccano, of old and new versions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    first_value,
    from_metadata,
    list_of,
    metadata,
    number_of,
    read_each,
    text_of,
)
from utils.dataset.formats.spans.details import count_details
from utils.dataset.formats.standoff.texts import WrittenSentence, token_key, tokens_in, written
from utils.dataset.records import Sentence
from utils.files.jsonl import JsonObject, write_rows


def read_doccano(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of an export: "label" or "labels" with triples, or "entities" or "annotations" with objects.

    Objects may also have "start", "end" and "label", as people write them by hand. Relations are counted. Labels that
    are numbers, as in exports of the first version, become texts.
    """

    def read(row: JsonObject, where: str) -> Document:
        for key in ("relations", "Comments", "comments"):
            values = row.get(key)
            number = len(values) if isinstance(values, list) else 0
            context.losses.add(key.lower().rstrip("s"), "left out", example=where, number=number)
        found = first_value(row, "entities", "annotations", "label", "labels")
        spans = tuple(_span(one, context, where) for one in list_of(found, "label"))
        text = text_of(first_value(row, "text", "data"), "text")
        return Document(where, text, spans, tokens_in(row), from_metadata(row.get("meta")))

    return read_each(path, read)


def _span(value: Any, context: ReadContext, where: str) -> RawSpan:
    """Return the span of a triple, or of an object with "start_offset"."""
    if isinstance(value, dict):
        start, end = (number_of(first_value(value, f"{key}_offset", key), key) for key in ("start", "end"))
        label = first_value(value, "label", "type", "entity_group")
        if not isinstance(label, (str, int)):
            raise ValueError(f'"label" must be a text, found {label!r}')
    elif isinstance(value, list) and len(value) >= 3:
        start, end, label = number_of(value[0]), number_of(value[1]), value[2]
    else:
        raise ValueError(f"expected [start, end, label], found {str(value)[:40]!r}: labels of whole texts are no spans")
    if isinstance(label, int):
        reason = 'is a number, as in exports of doccano 1.0: name it, for example with --labels="2=PER"'
        context.losses.add("label", reason, example=f"{where}: {label}")
    mention = first_value(value, "text", "word") if isinstance(value, dict) else None
    return RawSpan(start, end, str(label), mention if isinstance(mention, str) else None)


def write_doccano(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write JSON Lines that doccano imports: "text" and "label" with triples."""
    count_details(sentences, context.losses)

    def row(sentence: WrittenSentence) -> JsonObject:
        label = [[*sentence.place(span), span.label] for span in sentence.sentence.spans]
        meta = metadata(sentence.sentence.row)
        return {"text": sentence.text, "label": label, **token_key(sentence), **({"meta": meta} if meta else {})}

    write_rows(path, map(row, written(sentences, context.tokenisation)))
