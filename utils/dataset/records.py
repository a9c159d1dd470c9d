"""Sentences and their spans, and the JSON objects that hold them, one a line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.dataset.tokens import Tokenisation

_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")  # what no tokenizer takes


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of tokens: `start` inclusive, `end` exclusive."""

    start: int
    end: int
    label: str
    origin: str | None = None  # "entity" or "pos": an LLM's; "ner": a span model's; None: the dataset's own
    score: float | None = None
    row: Mapping[str, Any] | None = field(default=None, compare=False, hash=False)  # as it was read


@dataclass(frozen=True, slots=True)
class Sentence:
    """A tokenised sentence with its spans; `row` is the JSON object that it was read from."""

    id: str
    tokens: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    row: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def is_synthetic(self) -> bool:
        return self.row.get("synthetic") is True


def sentence_from_row(row: Mapping[str, Any], *, id: str, tokenisation: Tokenisation) -> Sentence:  # noqa: A002
    """Return the sentence that a JSON object holds; raise ValueError that says what is wrong with it."""
    tokens = _tokens(row, tokenisation=tokenisation)
    entities = row.get("entities")
    if not isinstance(entities, list):
        raise ValueError('"entities" must be a list; write [] where a sentence has none')
    spans = tuple(_span(entity, number, tokens) for number, entity in enumerate(entities, start=1))
    return Sentence(id=id, tokens=tokens, spans=spans, row=row)


def sentence_to_row(sentence: Sentence) -> dict[str, Any]:
    """Return the JSON object of a sentence; unknown keys that it was read with are kept."""
    entities = [span_to_row(span, sentence.tokens) for span in sentence.spans]
    return {**sentence.row, "text": list(sentence.tokens), "entities": entities}


def span_to_row(span: Span, tokens: Sequence[str]) -> dict[str, Any]:
    """Return the JSON object of a span: as it was read, or made from its fields."""
    if span.row is not None:
        return dict(span.row)
    row: dict[str, Any] = {"start": span.start, "end": span.end, "entity": span.label}
    row["text"] = list(tokens[span.start : span.end])
    if span.origin is not None:
        row["origin"] = span.origin
    if span.score is not None:
        row["score"] = span.score
    return row


def text_hash(tokens: Sequence[str]) -> str:
    """Return the SHA-256 that a sentence's text is known by in journals and in `training.json`."""
    text = json.dumps(list(tokens), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def same_text_key(tokens: Sequence[str]) -> str:
    """Return what is equal for sentences that differ only in blanks, case, or how they are cut into tokens."""
    return "".join("".join(tokens).split()).casefold()


def _tokens(row: Mapping[str, Any], *, tokenisation: Tokenisation) -> tuple[str, ...]:
    text = row.get("text")
    if isinstance(text, str):
        tokens = tuple(tokenisation.split(text))
    elif isinstance(text, list) and all(isinstance(token, str) for token in text):
        tokens = tuple(text)
    else:
        raise ValueError('"text" must be a list of tokens or a string')
    if broken := _NO_CHARACTER.search("\n".join(tokens)):
        number = next(number for number, token in enumerate(tokens, start=1) if broken[0] in token)
        kind = "a NUL" if broken[0] == "\0" else "half of a character (a lone surrogate)"
        raise ValueError(f"token {number} holds {kind}, {broken[0]!a}: write what it should be, or remove it")
    return tokens


def _span(entity: Any, number: int, tokens: Sequence[str]) -> Span:
    if not isinstance(entity, dict):
        raise ValueError(f"entity {number} must be an object with start, end and entity")
    start, end, label = entity.get("start"), entity.get("end"), entity.get("entity")
    if type(start) is not int or type(end) is not int:  # a bool is an int, and no offset
        raise ValueError(f'entity {number}: "start" and "end" must be whole numbers, found {start!r} and {end!r}')
    if not isinstance(label, str) or not label:
        raise ValueError(f'entity {number}: "entity" must be a label, found {label!r}')
    if end > len(tokens):
        raise ValueError(f"entity {number} ends at {end}, but the sentence has {len(tokens)} tokens")
    if not 0 <= start < end:
        raise ValueError(f"entity {number} runs from {start} to {end}; start must be at least 0 and below end")
    return Span(start, end, label, entity.get("origin"), entity.get("score"), row=entity)
