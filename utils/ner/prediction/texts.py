"""Texts to predict on, from plain text or JSON Lines, and the rows with their predictions.

Files are read and written in chunks, so that they may be of any size. Standard library only, so that a file is checked
before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.records import Span, sentence_from_row, span_to_row
from utils.dataset.tokens import WORDS
from utils.files.jsonl import JsonObject
from utils.files.text_files import Form, parse_texts

Split = Callable[[str], Sequence[str]]  # text -> tokens
Predict = Callable[[Sequence[Sequence[str]]], list[list[Span]]]  # tokens of each text -> spans of each text

CHUNK_TEXTS, CHUNK_TOKENS = 2048, 200_000  # of a chunk, which is predicted at once: bounds the memory


@dataclass(frozen=True, slots=True)
class InputText:
    """A text's tokens, its row in the input, and its string if the input has one instead of tokens."""

    tokens: tuple[str, ...]
    row: JsonObject
    raw: str | None = None


def read_texts(lines: Iterable[bytes], name: str, form: Form, split: Split) -> Iterator[InputText]:
    """Yield the texts of an input, one for each line of plain text (also for empty lines) or for each JSON object.

    `split` cuts strings into tokens. Raises ValueError with the number of the first line that cannot be read, and for
    plain text that consists of tokens and tags.
    """
    for number, row in parse_texts(lines, name, form):
        try:
            yield _text(row, split)
        except ValueError as error:
            raise ValueError(f"{name}:{number}: {error}") from None


def predicted_rows(texts: Iterable[InputText], predict: Predict) -> Iterator[JsonObject]:
    """Yield each text's row with the predicted spans as "entities", in the order of the texts.

    Entities of the input are kept as "gold". If a text is a string, it is kept as "raw_text", and spans get their
    positions in it in characters ("char_start", "char_end") and their text ("surface").
    """
    for chunk in _chunks(texts):
        spans = predict([text.tokens for text in chunk])
        yield from (_row(text, found) for text, found in zip(chunk, spans, strict=True))


def _text(row: JsonObject, split: Split) -> InputText:
    """Return the text of a row; raise ValueError if it is malformed."""
    raw = row.get("text")
    tokens = split(raw) if isinstance(raw, str) else raw
    checked = sentence_from_row({"text": tokens, "entities": []}, id="", tokenisation=WORDS)
    return InputText(checked.tokens, row, raw if isinstance(raw, str) else None)


def _chunks(texts: Iterable[InputText]) -> Iterator[list[InputText]]:
    """Yield lists of up to CHUNK_TEXTS texts, which end early when they have CHUNK_TOKENS tokens."""
    chunk: list[InputText] = []
    tokens = 0
    for text in texts:
        chunk.append(text)
        tokens += len(text.tokens)
        if len(chunk) == CHUNK_TEXTS or tokens >= CHUNK_TOKENS:
            yield chunk
            chunk, tokens = [], 0
    if chunk:
        yield chunk


def _row(text: InputText, spans: Sequence[Span]) -> JsonObject:
    """Return a text's row with its predicted spans."""
    gold = {"gold": text.row["entities"]} if text.row.get("entities") else {}
    entities = [span_to_row(span, text.tokens) for span in spans]
    if text.raw is None:
        return {**gold, **text.row, "text": list(text.tokens), "entities": entities}
    offsets = _offsets(text.tokens, text.raw)
    located = [{**entity, **_located(entity, offsets, text.raw)} for entity in entities]
    return {**gold, **text.row, "text": list(text.tokens), "raw_text": text.raw, "entities": located}


def _offsets(tokens: Sequence[str], raw: str) -> list[tuple[int, int]]:
    """Return each token's start and end (exclusive) in `raw`, in characters."""
    offsets, end = [], 0
    for token in tokens:
        start = raw.index(token, end)
        end = start + len(token)
        offsets.append((start, end))
    return offsets


def _located(entity: JsonObject, offsets: Sequence[tuple[int, int]], raw: str) -> dict[str, Any]:
    """Return the position of a span in `raw`, and its text."""
    start, end = offsets[entity["start"]][0], offsets[entity["end"] - 1][1]
    return {"char_start": start, "char_end": end, "surface": raw[start:end]}
