"""JSON Lines of Prodigy (ner.manual, spans.manual)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
)
from utils.dataset.formats.spans.details import details
from utils.dataset.formats.standoff.texts import WrittenSentence, written
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import JsonObject, write_rows


def read_prodigy(path: Path, context: ReadContext) -> list[Document]:
    """Return the accepted examples; rejected and ignored ones, and relations, are counted."""

    def read(row: JsonObject, where: str) -> Document | None:
        if (answer := row.get("answer", "accept")) != "accept":
            context.losses.add("example", f'its answer is "{answer}": left out', example=where)
            return None
        context.losses.add(
            "relation", "left out", example=where, number=len(list_of(row.get("relations"), "relations"))
        )
        tokens = list_of(row.get("tokens"), "tokens")
        text = text_of(row["text"], "text")
        spans = tuple(_span(one, text, tokens) for one in list_of(row.get("spans"), "spans"))
        words = tuple(text_of(token["text"], "text") for token in tokens if token["text"])
        return Document(where, text, spans, words or None, from_metadata(row.get("meta")))

    return read_each(path, read)


def _span(one: Mapping[str, Any], text: str, tokens: Sequence[Mapping[str, Any]]) -> RawSpan:
    """Return a span; its tokens, if there are any, say what its text is."""
    first, last = one.get("token_start"), one.get("token_end")
    mention = None
    if isinstance(first, int) and isinstance(last, int) and 0 <= first <= last < len(tokens):
        words = [str(token["text"]) for token in tokens[first : last + 1]]
        mention = "".join(
            word + (" " if token.get("ws") else "") for word, token in zip(words, tokens[first:], strict=False)
        )
    start, end = number_of(one["start"]), number_of(one["end"])
    label = text_of(one.get("label"), "label")
    origin, score = optional_text(one.get("origin")), score_of(one.get("score"))
    return RawSpan(start, end, label, (mention or "").strip() or None, origin, score)


def write_prodigy(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write JSON Lines with the tokens, so that Prodigy does not cut the texts again."""

    def row(sentence: WrittenSentence) -> JsonObject:
        tokens = [_token(index, sentence) for index in range(len(sentence.sentence.tokens))]
        spans = [_span_row(span, sentence) for span in sentence.sentence.spans]
        meta = metadata(sentence.sentence.row)
        return {"text": sentence.text, "tokens": tokens, "spans": spans, "meta": meta, "answer": "accept"}

    write_rows(path, map(row, written(sentences, context.tokenisation)))


def _token(index: int, sentence: WrittenSentence) -> JsonObject:
    start, end = sentence.bounds[index]
    is_last = index + 1 == len(sentence.bounds)
    ws = bool(sentence.separator) and not is_last
    return {"text": sentence.sentence.tokens[index], "start": start, "end": end, "id": index, "ws": ws}


def _span_row(span: Span, sentence: WrittenSentence) -> JsonObject:
    start, end = sentence.place(span)
    tokens = {"token_start": span.start, "token_end": span.end - 1}  # Prodigy's last token is included
    return {"start": start, "end": end, **tokens, "label": span.label, **details(span)}
