"""Label Studio: tasks with annotations or predictions (JSON), and its short export (JSON-MIN)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.dataset.formats.documents import PREDICTED, Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import (
    first_value,
    from_metadata,
    list_of,
    metadata,
    number_of,
    optional_text,
    read_each,
    score_of,
    text_of,
    write_array,
)
from utils.dataset.formats.standoff.texts import WrittenSentence, token_key, tokens_in, utf16_offset, written
from utils.dataset.records import Sentence, Span
from utils.files.jsonl import JsonObject


def read_labelstudio(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of tasks: their first annotation or, if they have none, their first prediction.

    Cancelled annotations, those of further annotators, and results that are no spans are counted.
    """

    def read(row: JsonObject, where: str) -> Document:
        if not isinstance(row.get("data"), dict):
            return _short(row, where)
        data = row["data"]
        text = _text(data)
        results, origin, score = _results(row, where, context)
        spans = tuple(span for one in results for span in _spans(one, text, context, where, origin=origin, score=score))
        return Document(where, text, spans, tokens_in(data), from_metadata(row.get("meta")))

    return read_each(path, read)


def _text(data: Mapping[str, Any]) -> str:
    """Return the text of a task, which its template may call anything: "text", or the longest string."""
    if isinstance(data.get("text"), str):
        return str(data["text"])
    strings = [value for value in data.values() if isinstance(value, str)]
    if not strings:
        raise ValueError('"data" has no text')
    return max(strings, key=len)


def _results(row: JsonObject, where: str, context: ReadContext) -> tuple[Sequence[Any], str | None, float | None]:
    """Return the results of a task, the origin of their spans, and the score of a prediction as a whole."""
    given = list_of(first_value(row, "annotations", "completions"), "annotations")
    kept = [one for one in given if isinstance(one, dict) and not one.get("was_cancelled")]
    context.losses.add("annotation", "cancelled: left out", example=where, number=len(given) - len(kept))
    if kept:
        first = next((one for one in kept if one.get("ground_truth")), kept[0])
        context.losses.add("annotation", "of a further annotator: left out", example=where, number=len(kept) - 1)
        return list_of(first.get("result"), "result"), None, None
    predictions = list_of(row.get("predictions"), "predictions")
    if not predictions:
        return [], None, None
    context.losses.add("task", "has no annotation: its prediction is used", example=where)
    return list_of(predictions[0].get("result"), "result"), PREDICTED, score_of(predictions[0].get("score"))


def _spans(
    result: Mapping[str, Any], text: str, context: ReadContext, where: str, *, origin: str | None, score: float | None
) -> Iterator[RawSpan]:
    """Yield a span for each label of a result; a result that is no span is counted."""
    value = result.get("value")
    labels = first_value(value, "labels", "hypertextlabels") if isinstance(value, dict) else None
    if not isinstance(value, dict) or labels is None:
        context.losses.add(str(result.get("type", "result")), "is no span: left out", example=where)
        return
    offsets = value.get("globalOffsets") or value  # of HTML, where "start" is a path
    if isinstance(offsets.get("start"), str) and not offsets["start"].isdecimal():
        context.losses.add("span", "of HTML, without its offsets in the text: left out", example=where)
        return
    meta = result.get("meta")
    own = meta.get("origin") if isinstance(meta, dict) else None
    given = score_of(result.get("score"))
    for label in labels:
        yield RawSpan(
            number_of(offsets["start"]),
            number_of(offsets["end"]),
            text_of(label, "label"),
            optional_text(value.get("text")),
            optional_text(own) or origin,
            score if given is None else given,
        )


def _short(row: JsonObject, where: str) -> Document:
    """Return the document of a row of JSON-MIN, where the data and the spans are keys of one object."""
    spans: list[RawSpan] = []
    for value in row.values():
        for one in value if isinstance(value, list) else ():
            if isinstance(one, dict) and isinstance(one.get("labels"), list):
                start, end, mention = number_of(one["start"]), number_of(one["end"]), optional_text(one.get("text"))
                spans += [RawSpan(start, end, text_of(label, "label"), mention) for label in one["labels"]]
    data = {key: value for key, value in row.items() if key not in ("created_at", "updated_at", "annotator")}
    return Document(where, _text(data), tuple(spans))


def write_labelstudio(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write tasks with an annotation each; offsets are those of JavaScript, which Label Studio runs in."""

    def row(sentence: WrittenSentence) -> JsonObject:
        result = [_result(number, span, sentence) for number, span in enumerate(sentence.sentence.spans, start=1)]
        meta = metadata(sentence.sentence.row)
        data = {"text": sentence.text, **token_key(sentence)}
        return {"data": data, "annotations": [{"result": result}], **({"meta": meta} if meta else {})}

    write_array(path, map(row, written(sentences, context.tokenisation)))


def _result(number: int, span: Span, sentence: WrittenSentence) -> JsonObject:
    text = sentence.text
    start, end = (utf16_offset(text, at) for at in sentence.place(span))
    value = {"start": start, "end": end, "text": sentence.mention(span), "labels": [span.label]}
    names = {"id": f"span-{number}", "from_name": "label", "to_name": "text", "type": "labels"}
    more: JsonObject = {} if span.score is None else {"score": span.score}
    if span.origin is not None:
        more["meta"] = {"origin": span.origin}
    return {**names, "value": value, **more}
