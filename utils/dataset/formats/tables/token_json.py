"""JSON with offsets of tokens: W2NER, CNN Nested NER and GLiNER."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    from_metadata,
    list_of,
    metadata,
    number_of,
    optional_text,
    read_each,
    score_of,
    text_of,
    tokens_of,
    write_array,
)
from utils.dataset.formats.spans.details import count_details, details
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import JsonObject, write_rows


def read_w2ner(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of W2NER's JSON: "index" lists each token of a span; gaps make it discontinuous."""

    def read(row: JsonObject, where: str) -> Document:
        spans = [_of_indices(one["index"], text_of(one["type"], "type")) for one in list_of(row["ner"], "ner")]
        return Document(where, tokens_of(row["sentence"], "sentence"), tuple(spans), row=from_metadata(row.get("meta")))

    return read_each(path, read)


def _of_indices(value: Any, label: str) -> RawSpan:
    """Return the span of tokens' indices; [2, 3, 5] has the pieces 2-4 and 5-6."""
    indices = sorted({number_of(index) for index in list_of(value, "index")})
    if not indices:
        raise ValueError('"index" is empty')
    runs = [[at for _, at in run] for _, run in groupby(enumerate(indices), key=lambda pair: pair[1] - pair[0])]
    pieces = tuple((run[0], run[-1] + 1) for run in runs)
    return RawSpan(indices[0], indices[-1] + 1, label, pieces=pieces if len(pieces) > 1 else ())


def write_w2ner(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write W2NER's JSON; warn about labels that W2NER takes for one, because it lower-cases them."""
    count_details(sentences, context.losses)
    labels = sorted({span.label for sentence in sentences for span in sentence.spans})
    for first, second in ((a, b) for a in labels for b in labels if a < b and a.lower() == b.lower()):
        context.losses.note(
            f"W2NER lower-cases labels, and so takes {first!r} and {second!r} for one: rename one (--labels)"
        )

    def row(sentence: Sentence) -> JsonObject:
        ner = [{"index": list(range(span.start, span.end)), "type": span.label} for span in sentence.spans]
        return {"sentence": list(sentence.tokens), "ner": ner, **_meta(sentence)}

    write_array(path, map(row, sentences))


def read_cnnner(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of CNN Nested NER's JSON Lines; relations and events are counted."""

    def read(row: JsonObject, where: str) -> Document:
        for key in ("relation_mentions", "event_mentions"):
            context.losses.add(
                key.replace("_", " ")[:-1], "left out", example=where, number=len(list_of(row.get(key), key))
            )
        spans = (
            RawSpan(
                number_of(one["start"]),
                number_of(one["end"]),
                text_of(one["entity_type"], "entity_type"),
                optional_text(one.get("text")),
                optional_text(one.get("origin")),
                score_of(one.get("score")),
            )
            for one in list_of(row["entity_mentions"], "entity_mentions")
        )
        return Document(where, tokens_of(row["tokens"], "tokens"), tuple(spans), row=from_metadata(row.get("meta")))

    return read_each(path, read)


def write_cnnner(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write CNN Nested NER's JSON Lines, with ends exclusive and the mentions as strings."""

    def mention(sentence: Sentence, span: Span) -> JsonObject:
        text = context.separator.join(sentence.tokens[span.start : span.end])
        return {"entity_type": span.label, "start": span.start, "end": span.end, "text": text, **details(span)}

    def row(sentence: Sentence) -> JsonObject:
        mentions = [mention(sentence, span) for span in sentence.spans]
        return {"tokens": list(sentence.tokens), "entity_mentions": mentions, **_meta(sentence)}

    write_rows(path, map(row, sentences))


def read_gliner(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of GLiNER's JSON: [first token, last token, label]."""

    def read(row: JsonObject, where: str) -> Document:
        spans = (RawSpan(number_of(one[0]), number_of(one[1]), text_of(one[2], "label")) for one in row["ner"] or [])
        tokens = tokens_of(row["tokenized_text"], "tokenized_text")
        return Document(where, tokens, tuple(spans), row=from_metadata(row.get("meta")))

    return read_each(path, read)


def write_gliner(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write GLiNER's JSON."""
    count_details(sentences, context.losses)

    def row(sentence: Sentence) -> JsonObject:
        ner = [[span.start, span.end - 1, span.label] for span in sentence.spans]
        return {"tokenized_text": list(sentence.tokens), "ner": ner, **_meta(sentence)}

    write_array(path, map(row, sentences))


def _meta(sentence: Sentence) -> JsonObject:
    """Return the metadata of a sentence under the key "meta", if it has any."""
    return {"meta": more} if (more := metadata(sentence.row)) else {}
