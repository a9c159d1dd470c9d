"""Records of Argilla as JSON: version 2 (fields, responses, suggestions) and version 1 (annotation, prediction)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import PREDICTED, Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    from_metadata,
    list_of,
    metadata,
    number_of,
    read_each,
    score_of,
    text_of,
    write_array,
)
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.details import count_details
from utils.dataset.formats.standoff.texts import WrittenSentence, token_key, tokens_in, written
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import JsonObject

QUESTION = "spans"


def read_argilla(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of records: the response of an annotator or, without one, the suggestions of a model.

    Discarded records are left out. Responses of further annotators are counted.
    """

    def read(row: JsonObject, where: str) -> Document | None:
        if str(row.get("status", "")).lower() in ("discarded", "default_discarded"):
            context.losses.add("record", "discarded: left out", example=where)
            return None
        fields = row.get("fields")
        data = fields if isinstance(fields, dict) else row
        text, meta = text_of(data["text"], "text"), row.get("metadata")
        is_first_version = "annotation" in row or "prediction" in row
        spans = tuple(_old_spans(row, where, context) if is_first_version else _spans(row, where, context))
        given = tokens_in({"tokens": _tokens_in_metadata(meta)}) or tokens_in(row)
        more = {} if isinstance(meta, dict) and set(meta) == {"tokens"} else from_metadata(meta)
        return Document(where, text, spans, given, more)

    return read_each(path, read)


def _tokens_in_metadata(meta: Any) -> Any:
    tokens = meta.get("tokens") if isinstance(meta, dict) else None
    return json.loads(tokens) if isinstance(tokens, str) and tokens.startswith("[") else tokens


def _old_spans(row: JsonObject, where: str, context: ReadContext) -> Iterator[RawSpan]:
    """Yield the spans of a record of version 1: [label, start, end], and for a prediction the score."""
    if row.get("annotation") is not None:
        given, origin = row["annotation"], None
    else:
        given, origin = row.get("prediction"), PREDICTED
        context.losses.add("record", "has no annotation: its prediction is used", example=where)
    for one in list_of(given, "annotation"):
        if isinstance(one, dict):
            one = [one["label"], one["start"], one["end"], one.get("score")]  # noqa: PLW2901
        score = score_of(one[3]) if len(one) > 3 and origin else None
        yield RawSpan(number_of(one[1]), number_of(one[2]), text_of(one[0], "label"), origin=origin, score=score)


def _spans(row: JsonObject, where: str, context: ReadContext) -> Iterator[RawSpan]:
    """Yield the spans of a record of version 2, also in its flat form ("spans.responses")."""
    responses = [one for one in _values(row, "responses") if one.get("status", "submitted") != "discarded"]
    users = [one for one in responses if isinstance(one.get("value"), list)]
    suggestions = [one for one in _values(row, "suggestions") if isinstance(one.get("value"), list)]
    meta = row.get("metadata")
    is_own = isinstance(meta, dict) and bool(meta.get("both"))
    context.losses.add("response", "of a further annotator: left out", example=where, number=max(0, len(users) - 1))
    for one in users[:1]:
        yield from (_span(value, None, None) for value in one["value"])
    if users and not is_own:
        return
    if suggestions and not users:
        context.losses.add("record", "has no response: its suggestions are used", example=where)
    for one in suggestions[:1]:
        given = one.get("score")
        scores = given if isinstance(given, list) else [given] * len(one["value"])
        origin = one.get("agent") if is_own else PREDICTED
        for value, score in zip(one["value"], scores, strict=False):
            yield _span(value, origin, score_of(score))


def _values(row: JsonObject, kind: str) -> Iterator[Mapping[str, Any]]:
    """Yield the responses or suggestions of all questions, as objects with "value"."""
    found = row.get(kind)
    for question in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        yield from (one for one in (question if isinstance(question, list) else [question]) if isinstance(one, dict))
    for key, value in row.items():  # "spans.responses": one list of spans for each annotator
        if key.endswith(f".{kind}") and isinstance(value, list):
            yield from ({"value": one} for one in value if isinstance(one, list))
        elif key.endswith(".suggestion") and kind == "suggestions" and isinstance(value, list):
            yield {"value": value, "score": row.get(f"{key}.score")}


def _span(value: Mapping[str, Any], origin: str | None, score: float | None) -> RawSpan:
    start, end = number_of(value["start"]), number_of(value["end"])
    return RawSpan(start, end, text_of(value["label"], "label"), origin=origin, score=score)


def write_argilla(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write records of version 2: gold spans as the response, spans of a model or an LLM as suggestions with scores."""

    def row(sentence: WrittenSentence) -> JsonObject:
        spans = sentence.sentence.spans
        gold = [span for span in spans if span.origin is None and span.score is None]
        found = [span for span in spans if span not in gold]
        response = {QUESTION: [{"value": [_value(span, sentence) for span in gold], "status": "submitted"}]}
        suggestion = {QUESTION: _suggestion(found, sentence, context.losses)} if found else {}
        record = {"fields": {"text": sentence.text}, "responses": response, "suggestions": suggestion}
        return {"id": sentence.sentence.id, **record, "metadata": _metadata(sentence, both=bool(found))}

    write_array(path, map(row, written(sentences, context.tokenisation)))


def _suggestion(spans: Sequence[Span], sentence: WrittenSentence, losses: Losses) -> JsonObject:
    """Return a suggestion: it has one agent, so that only the origin that all its spans share can be kept."""
    origins = {span.origin for span in spans}
    has_scores = all(span.score is not None for span in spans)
    if len(origins) > 1:
        count_details([sentence.sentence], losses, keys=["origin"])
    if not has_scores:
        count_details([sentence.sentence], losses, keys=["score"])
    score = {"score": [span.score for span in spans]} if has_scores else {}
    agent = {"agent": next(iter(origins)) if len(origins) == 1 else None}
    return {"value": [_value(span, sentence) for span in spans], **score, **agent}


def _value(span: Span, sentence: WrittenSentence) -> JsonObject:
    start, end = sentence.place(span)
    return {"start": start, "end": end, "label": span.label}


def _metadata(sentence: WrittenSentence, *, both: bool) -> JsonObject:
    """Return metadata of strings, as Argilla wants them."""
    more = {**metadata(sentence.sentence.row), **token_key(sentence)}
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in more.items()}
    return {**texts, "both": "true"} if both else texts
