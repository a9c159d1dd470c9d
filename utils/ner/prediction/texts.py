"""Texts to predict on, from plain text or JSON Lines, and the rows with their predictions.

Files are read and written in chunks, so that they may be of any size. Standard library only, so that a file is checked
before a model is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal

from utils.dataset.records import Span, sentence_from_row, span_to_row
from utils.dataset.tokens import WORDS
from utils.files.jsonl import JsonObject, decode_utf8, parse_rows

Form = Literal["text", "jsonl"]
Split = Callable[[str], Sequence[str]]  # text -> tokens
Predict = Callable[[Sequence[Sequence[str]]], list[list[Span]]]  # tokens of each text -> spans of each text

PEEKED_LINES = 30  # of plain text, in which a table of tokens and tags is recognised
_TAGGED_TOKEN = re.compile(r"\S+(?:[ \t]+\S+)*?[ \t]+(?:O|[BIESMLU][-_]\S+)\s*")  # such as "Rome B-LOC"
CHUNK_TEXTS, CHUNK_TOKENS = 2048, 200_000  # of a chunk, which is predicted at once: bounds the memory


@dataclass(frozen=True, slots=True)
class InputText:
    """A text's tokens, its row in the input, and its string if the input has one instead of tokens."""

    tokens: tuple[str, ...]
    row: JsonObject
    raw: str | None = None


def form_of(name: str, first: bytes) -> Form:
    """Return the form of an input, from its name's ending or, without a known ending, from its first line."""
    if name.endswith((".jsonl", ".json")):
        return "jsonl"
    return "jsonl" if not name.endswith(".txt") and first.lstrip(b"\xef\xbb\xbf \t").startswith(b'{"') else "text"


def read_texts(lines: Iterable[bytes], name: str, form: Form, split: Split) -> Iterator[InputText]:
    """Yield the texts of an input, one for each line of plain text (also for empty lines) or for each JSON object.

    `split` cuts strings into tokens. Raises ValueError with the number of the first line that cannot be read, and for
    plain text that consists of tokens and tags.
    """
    if form == "jsonl":
        numbered: Iterable[tuple[int, JsonObject]] = parse_rows(lines, name)
    else:
        numbered = ((number, {"text": line.rstrip("\r\n")}) for number, line in _plain_lines(lines, name))
    for number, row in numbered:
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


def _plain_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of plain text; raise ValueError if its first lines are those of a BIO file."""
    numbered = ((number, decode_utf8(line, f"{name}:{number}")) for number, line in enumerate(lines, start=1))
    first = list(islice(numbered, PEEKED_LINES))
    filled = [(number, line) for number, line in first if line.strip() and not line.startswith("# ")]
    if len(filled) > 1 and all(_TAGGED_TOKEN.fullmatch(line) for _, line in filled):
        raise ValueError(
            f"{name}:{filled[0][0]}: each line has a token and a tag, as in a BIO file; write one text per line, or "
            'JSON Lines with the tokens of each sentence, {"text": ["Anna", "sees", "Rome"]}'
        )
    yield from chain(first, numbered)


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
