"""Sentences and their spans, read from JSON objects and written as JSON objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NoReturn

from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import JsonObject
from utils.wording import counted

RAW = "raw"  # begins the ids of sentences of raw text, in the place of a source
MAX_SHOWN = 60  # characters of a wrong value in a message
UNKNOWN_SOURCE = 0  # of a synthetic sentence; the numbers of sentences begin at 1
SPAN_KEYS = ("label", "labels", "spans", "entity", "annotations", "tags", "ner", "ner_tags")  # of other tools
SPAN_EXAMPLE = '{"start": 0, "end": 2, "entity": "PER"}'
INCLUSIVE_ENDS = (
    'are your ends inclusive? "end" must be the position after the last token: add 1 to each "end", for example with: '
    """python -c "import json, sys; [print(json.dumps({**row, 'entities': [{**one, 'end': one['end'] + 1} for one in """
    """row['entities']]}, ensure_ascii=False)) for row in map(json.loads, sys.stdin)]" < OLD > NEW"""
)
TARGET_SCORES, LLM_SPANS = "target_scores", "llm_spans"  # keys of s7 beside "entities": lists of spans
NUMBER = "number_in_train_1000"  # key of the sentences of a file from which a patch may have dropped some
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")  # no tokenizer accepts these


SpanKey = tuple[int, int, str]  # start, end, label


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled sequence of tokens: `start` inclusive, `end` exclusive.

    `row` is the JSON object that the span was read from. It only keeps the order of the keys and the unknown keys.
    """

    start: int
    end: int
    label: str
    origin: str | None = None  # "entity" or "pos": from an LLM; "ner": from a span model; None: from the dataset
    score: float | None = None
    row: Mapping[str, Any] | None = field(default=None, compare=False, hash=False)

    @property
    def key(self) -> SpanKey:
        """The offsets and the label, which identify a span in its sentence."""
        return self.start, self.end, self.label

    def overlaps(self, other: Span) -> bool:
        """Return whether two spans share a token."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Span) -> bool:
        """Return whether all tokens of another span are in this one."""
        return self.start <= other.start and other.end <= self.end

    def crosses(self, other: Span) -> bool:
        """Return whether two spans overlap and neither contains the other."""
        return self.start < other.start < self.end < other.end or other.start < self.start < other.end < self.end


@dataclass(frozen=True, slots=True)
class Sentence:
    """A tokenised sentence with its spans.

    `row` is the JSON object that the sentence was read from, with keys that only some steps write or read.
    """

    id: str
    tokens: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    row: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def is_synthetic(self) -> bool:
        """Whether s2 made the sentence."""
        return self.row.get("synthetic") is True

    @property
    def number(self) -> int | None:
        """The number of an original sentence in train_1000.jsonl, in a file from which a patch dropped others."""
        number = self.row.get(NUMBER)
        return number if isinstance(number, int) else None

    @property
    def source(self) -> int | None:
        """The number of the sentence that a synthetic sentence was made from."""
        return self.row.get("source")

    @property
    def gold_spans(self) -> list[Span]:
        """The spans that the dataset has, without those of an LLM or a span model."""
        return [span for span in self.spans if span.origin is None]

    @property
    def has_nested_spans(self) -> bool:
        """Whether a span contains another one, or has the same tokens."""
        return any(one.contains(other) or other.contains(one) for one, other in overlapping_pairs(self.spans))

    @property
    def is_raw(self) -> bool:
        """Whether the sentence is from a file of raw text (s2 --raw): it has no source, and belongs to every size."""
        return self.row.get("raw") is True


def overlapping_pairs(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    """Yield the pairs of spans that share a token."""
    return ((one, other) for one, other in combinations(spans, 2) if one.overlaps(other))


def sentence_from_row(row: Mapping[str, Any], *, id: str, tokenisation: Tokenisation) -> Sentence:  # noqa: A002
    """Return the sentence of a JSON object; raise ValueError if the object is not a valid sentence."""
    tokens = _tokens(row, tokenisation=tokenisation)
    entities = row.get("entities")
    if not isinstance(entities, list):
        raise ValueError(_without_entities(row))
    return Sentence(id=id, tokens=tokens, spans=read_spans(entities, tokens), row=row)


def synthetic_from_row(row: Mapping[str, Any], *, tokenisation: Tokenisation) -> Sentence:
    """Return the sentence of a JSON object that s2 made, with the id in it; raise ValueError if it is not valid."""
    if row.get("raw") is not True and not isinstance(row.get("source"), int):
        raise ValueError('"source" must be the number of the source sentence')
    if not isinstance(row.get("id"), str):
        raise ValueError('"id" is missing')
    return sentence_from_row(row, id=row["id"], tokenisation=tokenisation)


def read_spans(entities: Sequence[Any], tokens: Sequence[str]) -> tuple[Span, ...]:
    """Return the spans of a list of JSON objects; raise ValueError if one is not a valid span of these tokens."""
    return tuple(_span(entity, number, tokens) for number, entity in enumerate(entities, start=1))


def sentence_to_row(sentence: Sentence) -> JsonObject:
    """Return the JSON object of a sentence; unknown keys are kept."""
    entities = [span_to_row(span, sentence.tokens) for span in sentence.spans]
    return {**sentence.row, "text": list(sentence.tokens), "entities": entities}


def span_to_row(span: Span, tokens: Sequence[str]) -> JsonObject:
    """Return the JSON object of a span; unknown keys are kept, and so is the "text" while the offsets are the same."""
    start, end = span.start, span.end
    read = span.row or {}
    row = {**read, "start": start, "end": end, "entity": span.label}
    if read.get("start") != start or read.get("end") != end:
        row["text"] = [*tokens[start:end]]
    for key, value in (("origin", span.origin), ("score", span.score)):
        if value is not None:
            row[key] = value
        elif read.get(key) is not None:
            del row[key]
    return row


def _tokens(row: Mapping[str, Any], *, tokenisation: Tokenisation) -> tuple[str, ...]:
    text = row.get("text")
    if isinstance(text, str):
        tokens = tuple(tokenisation.split(text))
    elif isinstance(text, list):
        tokens = tuple(text)
    else:
        raise ValueError('"text" must be a list of tokens or a string')
    try:
        joined = "".join(tokens)
        joined.encode()  # refuses lone surrogates, faster than a search for them
    except TypeError:
        raise ValueError('"text" must be a list of tokens or a string') from None
    except UnicodeEncodeError:
        _refuse_character(tokens)
    if "\0" in joined:
        _refuse_character(tokens)
    return tokens


def _refuse_character(tokens: Sequence[str]) -> NoReturn:
    """Raise ValueError that names the first NUL or lone surrogate in the tokens."""
    number, broken = next(
        (number, found[0]) for number, token in enumerate(tokens, start=1) if (found := _NO_CHARACTER.search(token))
    )
    kind = "a NUL" if broken == "\0" else "a lone surrogate (half of a character)"
    raise ValueError(f"token {number} contains {kind}, {broken!a}: correct or remove it") from None


def _without_entities(row: Mapping[str, Any]) -> str:
    """Return the reason why a row without a list of "entities" is refused; other tools name the spans differently.

    Only a row that has no spans under any name is told to write [], since who obeys loses the others.
    """
    if row.get("entities"):
        return (
            f'"entities" must be a list of objects such as {SPAN_EXAMPLE} with offsets in tokens; found '
            f"{_start_of(row['entities'])}: convert it"
        )
    named = [*SPAN_KEYS, *(key for key in row if key not in SPAN_KEYS and _is_like_spans(row[key]))]
    key = next((key for key in named if key != "text" and isinstance(row.get(key), (list, dict)) and row[key]), None)
    if key is not None:
        return (
            f"the spans are in {json.dumps(key, ensure_ascii=False)}, as in exports of doccano and similar tools: "
            f'write each of them into "entities" as {SPAN_EXAMPLE}, with offsets in tokens instead of characters, or '
            "run convert.py"
        )
    return '"entities" must be a list; write [] for a sentence without entities'


def _is_like_spans(value: Any) -> bool:
    """Return whether a value may hold spans: a list or an object that contains lists or objects."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(one, (list, dict)) for one in inner)


def _start_of(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _span(entity: Any, number: int, tokens: Sequence[str]) -> Span:
    if not isinstance(entity, dict):
        raise ValueError(
            f"entity {number} must be an object with start, end and entity, such as {SPAN_EXAMPLE} with offsets in "
            f"tokens; found {repr(entity)[:60]}"
        )
    if "start_offset" in entity:
        raise ValueError(
            f'entity {number} has "start_offset", as in exports of doccano: write it as {SPAN_EXAMPLE}, with offsets '
            "in tokens instead of characters, or run convert.py"
        )
    start, end, label = entity.get("start"), entity.get("end"), entity.get("entity")
    if type(start) is not int or type(end) is not int:  # not isinstance, because a bool is an int
        raise ValueError(f'entity {number}: "start" and "end" must be whole numbers, found {start!r} and {end!r}')
    if not isinstance(label, str) or not label:
        raise ValueError(f'entity {number}: "entity" must be a label, found {label!r}')
    if end > len(tokens):
        raise ValueError(
            f"entity {number} ends at {end}, but the sentence has {counted(len(tokens), 'token')}; offsets count "
            "tokens, not characters"
        )
    if not 0 <= start < end:
        hint = f": {INCLUSIVE_ENDS}" if start >= 0 else ""
        raise ValueError(f"entity {number} runs from {start} to {end}; start must be at least 0 and below end{hint}")
    return Span(start, end, label, entity.get("origin"), entity.get("score"), row=entity)
