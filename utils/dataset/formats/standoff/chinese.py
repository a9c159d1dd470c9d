"""Formats of Chinese benchmarks and of PaddleNLP: CLUENER, CMeEE (CBLUE) and UIE."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from utils.dataset.formats.documents import Document, RawSpan, ReadContext, WriteContext
from utils.dataset.formats.json_files import list_of, number_of, optional_text, read_each, text_of, write_array
from utils.dataset.formats.spans.details import count_details, count_rows
from utils.dataset.formats.standoff.texts import WrittenSentence, note_lost_tokens, written
from utils.dataset.records import Sentence
from utils.files.jsonl import JsonObject

_RELATION = re.compile(r"(.+)的(.+)", re.DOTALL)  # a prompt of UIE: the relation of a mention
_CHOICE = re.compile(r".+\[.+\]", re.DOTALL)  # a prompt of UIE: a class of the text


def read_cluener(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of CLUENER's JSON Lines: {"label": {type: {mention: [[first, last]]}}}."""

    def read(row: JsonObject, where: str) -> Document:
        spans = (
            RawSpan(number_of(place[0]), number_of(place[1]), label, mention)
            for label, mentions in (row.get("label") or {}).items()
            for mention, places in mentions.items()
            for place in places
        )
        return Document(where, text_of(row["text"], "text"), tuple(spans))

    return read_each(path, read)


def read_cmeee(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of CMeEE's JSON."""

    def read(row: JsonObject, where: str) -> Document:
        spans = (
            RawSpan(
                number_of(one["start_idx"]),
                number_of(one["end_idx"]),
                text_of(one["type"], "type"),
                optional_text(one.get("entity")),
            )
            for one in list_of(row.get("entities"), "entities")
        )
        return Document(where, text_of(row["text"], "text"), tuple(spans))

    return read_each(path, read)


def write_cmeee(path: Path, sentences: Sequence[Sentence], context: WriteContext) -> None:
    """Write CMeEE's JSON, with ends inclusive, as the code of CBLUE reads them."""
    count_details(sentences, context.losses)
    count_rows(sentences, context.losses)
    texts = written(sentences, context.tokenisation)
    note_lost_tokens(texts, context.losses)

    def row(sentence: WrittenSentence) -> JsonObject:
        spans = [(span, *sentence.place(span)) for span in sentence.sentence.spans]
        entities = [
            {"start_idx": start, "end_idx": end - 1, "type": span.label, "entity": sentence.text[start:end]}
            for span, start, end in spans
        ]
        return {"text": sentence.text, "entities": entities}

    write_array(path, map(row, texts))


def read_uie(path: Path, context: ReadContext) -> list[Document]:
    """Return the documents of UIE's training data, where each label of a text has a line of its own.

    The lines of one text are put together. Lines without results are negative examples. Lines that ask for a relation
    or a class are counted and left out.
    """
    texts: dict[str, str] = {}
    spans: dict[str, list[tuple[str, RawSpan]]] = {}

    def read(row: JsonObject, where: str) -> None:
        content, prompt = text_of(row.get("content"), "content"), text_of(row.get("prompt"), "prompt")
        texts.setdefault(content, where)
        found = spans.setdefault(content, [])
        results = list_of(row.get("result_list"), "result_list")
        if not results:
            context.losses.add("negative example", "has no spans", example=where)
        for one in results:
            places = number_of(one["start"]), number_of(one["end"])
            found.append((prompt, RawSpan(*places, prompt, optional_text(one.get("text")))))

    read_each(path, read)
    return [
        Document(where, content, tuple(_entities(spans[content], where, context))) for content, where in texts.items()
    ]


def _entities(found: Sequence[tuple[str, RawSpan]], where: str, context: ReadContext) -> list[RawSpan]:
    """Return the spans whose prompt is a label; the prompt "公司的地址" with a mention 公司 asks for a relation."""
    mentions = {span.text for _, span in found}
    kept = []
    for prompt, span in found:
        relation = _RELATION.fullmatch(prompt)
        if (relation and relation[1] in mentions) or _CHOICE.fullmatch(prompt):
            context.losses.add("relation or class", "left out", example=f"{where}: {prompt!r}")
        else:
            kept.append(span)
    return kept
