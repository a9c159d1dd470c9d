"""Texts to predict on, as they come: lines of plain text, or JSON Lines; and the rows that predictions become.

Read and written a chunk at a time, so that no file is too large. Standard library only, so that a file is checked
before a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from utils.dataset.records import Span, sentence_from_row, span_to_row
from utils.dataset.tokens import WORDS
from utils.files.jsonl import JsonObject, decode, parse_rows

Form = Literal["text", "jsonl"]
Split = Callable[[str], Sequence[str]]  # a text -> its tokens
Predict = Callable[[Sequence[Sequence[str]]], list[list[Span]]]  # tokens of some texts -> their spans

CHUNK_TEXTS, CHUNK_TOKENS = 2048, 200_000  # predicted together, in batches of similar length: bounds the memory


@dataclass(frozen=True, slots=True)
class InputText:
    """A text's tokens, the row that it came in, and the string that it was, if it was one."""

    tokens: tuple[str, ...]
    row: JsonObject
    raw: str | None = None


def form_of(name: str, first: bytes) -> Form:
    """Return what an input holds, by its name and, where that says nothing, by its first line."""
    if name.endswith((".jsonl", ".json")):
        return "jsonl"
    return "jsonl" if not name.endswith(".txt") and first.lstrip(b"\xef\xbb\xbf \t").startswith(b'{"') else "text"


def read_texts(lines: Iterable[bytes], name: str, form: Form, split: Split) -> Iterator[InputText]:
    """Yield the texts of an input, one for each line of plain text (blank ones too), or for each JSON object.

    Raises ValueError that names the line where one cannot be read. `split` cuts strings into tokens.
    """
    if form == "jsonl":
        numbered: Iterable[tuple[int, JsonObject]] = parse_rows(lines, name)
    else:
        plain = (decode(line, f"{name}:{number}") for number, line in enumerate(lines, start=1))
        numbered = ((number, {"text": line.rstrip("\r\n")}) for number, line in enumerate(plain, start=1))
    for number, row in numbered:
        try:
            yield _text(row, split)
        except ValueError as error:
            raise ValueError(f"{name}:{number}: {error}") from None


def predicted_rows(texts: Iterable[InputText], predict: Predict) -> Iterator[JsonObject]:
    """Yield each text's row with the spans that are predicted for it as its "entities", in the order of the texts.

    Entities that a row came with are kept as "gold". A text that was a string is kept as "raw_text", and its spans say
    where in it they stand ("char_start", "char_end", "surface").
    """
    for chunk in _chunks(texts):
        spans = predict([text.tokens for text in chunk])
        yield from (_row(text, found) for text, found in zip(chunk, spans, strict=True))


def _text(row: JsonObject, split: Split) -> InputText:
    raw = row.get("text")
    tokens = split(raw) if isinstance(raw, str) else raw
    checked = sentence_from_row({"text": tokens, "entities": []}, id="", tokenisation=WORDS)
    return InputText(checked.tokens, row, raw if isinstance(raw, str) else None)


def _chunks(texts: Iterable[InputText]) -> Iterator[list[InputText]]:
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
    gold = {"gold": text.row["entities"]} if text.row.get("entities") else {}
    entities = [span_to_row(span, text.tokens) for span in spans]
    if text.raw is None:
        return {**gold, **text.row, "text": list(text.tokens), "entities": entities}
    places = _places(text.tokens, text.raw)
    located = [{**entity, **_located(entity, places, text.raw)} for entity in entities]
    return {**gold, **text.row, "text": list(text.tokens), "raw_text": text.raw, "entities": located}


def _places(tokens: Sequence[str], raw: str) -> list[tuple[int, int]]:
    """Return where in `raw` each token stands, in characters."""
    places, end = [], 0
    for token in tokens:
        start = raw.index(token, end)
        end = start + len(token)
        places.append((start, end))
    return places


def _located(entity: JsonObject, places: Sequence[tuple[int, int]], raw: str) -> dict[str, Any]:
    start, end = places[entity["start"]][0], places[entity["end"] - 1][1]
    return {"char_start": start, "char_end": end, "surface": raw[start:end]}
