"""Documents as sentences: their text cut into tokens, and their spans with offsets of tokens.

A dense text has a token for each character. Any other text is cut at its spaces and, if it is running text, at the
punctuation around its words. A token in which a span begins or ends is cut there: no span is lost, and none grows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from utils.dataset.formats.documents import Document, RawSpan
from utils.dataset.formats.losses import Losses
from utils.dataset.records import Sentence, Span, SpanKey
from utils.dataset.tokens import Tokenisation, tokenisation_of

Discontinuous = Literal["drop", "continuous"]
Words = Literal["auto", "spaces", "punctuation"]

RUNNING_SHARE = 0.02  # of the words: if more end with a comma or the like, punctuation is not yet separated from words

_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
_GLUED = re.compile(r"[^\W_][,;:!?]$")
_WORD = re.compile(r"\S+")
_ABBREVIATION = re.compile(r"(?:[^\W\d_]\.)+|(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|vs|Inc|Ltd|Co|Corp|No)\.", re.IGNORECASE)
_OPENING, _CLOSING = re.compile(r"[(\[{<\"'“‘«¿¡„]"), re.compile(r"[)\]}>\"'”’»,;:!?.…]")


@dataclass(frozen=True, slots=True)
class Cutting:
    """How texts become tokens, and what becomes of discontinuous spans."""

    tokenisation: Tokenisation
    words: Words = "spaces"
    discontinuous: Discontinuous = "drop"

    @classmethod
    def of(cls, documents: Iterable[Document], tokenisation: Tokenisation | None, words: Words) -> Cutting:
        """Return how the documents are cut; what is not given is found from their texts."""
        texts = [document.tokens or document.text for document in documents]
        if words == "auto":
            words = "punctuation" if _is_running_text(text for text in texts if isinstance(text, str)) else "spaces"
        return cls(tokenisation or tokenisation_of(texts), words)


def cut_documents(documents: Iterable[Document], cutting: Cutting, losses: Losses) -> list[Sentence]:
    """Return the sentences of documents with plain offsets; what is lost or changed is counted."""
    sentences: list[Sentence] = []
    for document in documents:
        spans = [one for span in document.spans if (one := _joined(document, span, cutting.discontinuous, losses))]
        if isinstance(document.text, str):
            ends = _token_bounds(document, cutting.tokenisation, cutting.words)
            tokens, built = _cut(document, spans, ends, losses)
        else:
            tokens = document.text
            built = [_span(span, span.start, span.end, tokens) for span in spans]
        if sentence := _sentence(document, tokens, _without_repeats(document, built, losses), losses):
            sentences.append(replace(sentence, id=str(len(sentences) + 1)))
    return sentences


def _sentence(document: Document, tokens: Sequence[str], spans: Sequence[Span], losses: Losses) -> Sentence | None:
    if not tokens:
        losses.add("sentence", "empty: dropped", example=document.where)
        return None
    if bad := _NO_CHARACTER.search("".join(tokens)):
        losses.add("sentence", "contains a NUL or half a character: dropped", example=f"{document.where}: {bad[0]!a}")
        return None
    row = document.row if "text" in document.row else {"text": [], "entities": [], **document.row}
    return Sentence("", tuple(tokens), tuple(spans), row)


def _joined(document: Document, span: RawSpan, discontinuous: Discontinuous, losses: Losses) -> RawSpan | None:
    """Return a span as one piece; None if it is discontinuous and dropped. Pieces with only spaces between are one."""
    if not span.pieces:
        return span
    pieces = sorted(span.pieces)
    whole = replace(span, start=pieces[0][0], end=max(end for _, end in pieces), pieces=())
    gaps = ("".join(document.text[end:start]) for (_, end), (start, _) in pairwise(pieces))
    if not any(gap.strip() for gap in gaps):
        return whole
    example = f"{document.where}: {span.label} {' '.join(''.join(document.text[s:e]) for s, e in pieces)!r}"
    if discontinuous == "drop":
        losses.add("span", "discontinuous: dropped (--discontinuous=continuous keeps it)", example=example)
        return None
    losses.add("span", "discontinuous: made continuous", example=example)
    return whole


def split_lines(document: Document) -> list[Document]:
    """Return a document for each line of a text that is not empty. Lines that a span joins stay together.

    The spans have plain offsets; those of the new documents are counted from the start of their line.
    """
    if not isinstance(document.text, str):
        return [document]
    ends = [at + 1 for at, character in enumerate(document.text) if character == "\n"]
    ends = [end for end in ends if not any(span.start < end < span.end for span in document.spans)]
    bounds = list(pairwise([0, *ends, len(document.text)]))
    made = []
    for number, (start, end) in enumerate(bounds, start=1):
        inside = (span for span in document.spans if start <= span.start < end)
        spans = tuple(_moved(span, -start) for span in inside)
        text = document.text[start:end].rstrip("\r\n")
        if text.strip():
            made.append(replace(document, where=f"{document.where}:{number}", text=text, spans=spans, tokens=None))
    return made


def _moved(span: RawSpan, by: int) -> RawSpan:
    pieces = tuple((start + by, end + by) for start, end in span.pieces)
    return replace(span, start=span.start + by, end=span.end + by, pieces=pieces)


def _without_repeats(document: Document, spans: Iterable[Span], losses: Losses) -> list[Span]:
    kept: dict[SpanKey, Span] = {}
    for span in spans:
        if span.key in kept:
            losses.add("span", "given twice: kept once", example=f"{document.where}: {span.label} {span.start}")
        else:
            kept[span.key] = span
    return list(kept.values())


def _cut(
    document: Document, spans: Sequence[RawSpan], bounds: Sequence[tuple[int, int]], losses: Losses
) -> tuple[tuple[str, ...], list[Span]]:
    """Return the tokens of a string, and its spans with offsets of tokens.

    >>> document = Document("", "to Rome-based", (RawSpan(3, 7, "LOC"),))
    >>> _cut(document, document.spans, [(0, 2), (3, 13)], Losses())[0]
    ('to', 'Rome', '-based')
    """
    text = str(document.text)
    places = []
    starts, ends = {start for start, _ in bounds}, {end for _, end in bounds}
    for span in spans:
        is_whole = span.start in starts and span.end in ends  # also if it begins or ends with a token that is a space
        start, end = (span.start, span.end) if is_whole else _trimmed(text, span)
        if start >= end:
            losses.add("span", "only spaces: dropped", example=f"{document.where}: {span}")
        else:
            places.append((span, start, end))
    wanted = {position for _, start, end in places for position in (start, end)}
    pieces: list[tuple[int, int]] = []
    for start, end in bounds:
        inner = sorted(at for at in wanted if start < at < end)
        reason = "inside a token, where a span begins or ends: the token is cut there"
        losses.add("place", reason, example=f"{document.where}: {text[start:end]!r}", number=len(inner))
        pieces += pairwise([start, *inner, end])
    first = {start: index for index, (start, _) in enumerate(pieces)}
    last = {end: index + 1 for index, (_, end) in enumerate(pieces)}
    tokens = tuple(text[start:end] for start, end in pieces)
    built = [_span(span, first[start], last[end], tokens) for span, start, end in places if start in first]
    return tokens, built


def _trimmed(text: str, span: RawSpan) -> tuple[int, int]:
    """Return the offsets of a span without spaces at its ends."""
    mention = text[span.start : span.end]
    return span.start + len(mention) - len(mention.lstrip()), span.end - len(mention) + len(mention.rstrip())


def _span(span: RawSpan, start: int, end: int, tokens: Sequence[str]) -> Span:
    """Return a span of tokens; its "text" is that of the tokens, and unknown keys are kept."""
    row = dict(span.row or {})
    if "text" in row or span.row is None:
        row = {"start": start, "end": end, "entity": span.label, **row, "text": list(tokens[start:end])}
    return Span(start, end, span.label, span.origin, span.score, row={**row, "start": start, "end": end})


def _token_bounds(document: Document, tokenisation: Tokenisation, words: Words) -> list[tuple[int, int]]:
    """Return the start and end of each token in a document's string."""
    text = str(document.text)
    if document.tokens is not None and (given := _located(document.tokens, text)) is not None:
        return given
    if tokenisation.is_dense:
        start, end = len(text) - len(text.lstrip("\r\n")), len(text.rstrip("\r\n"))
        return [(at, at + 1) for at in range(start, end) if text[at : at + 2] != "\r\n"]
    found = (match.span() for match in _WORD.finditer(text))
    if words == "spaces":
        return list(found)
    return [bound for start, end in found for bound in _without_punctuation(text, start, end)]


def _located(tokens: Iterable[str], text: str) -> list[tuple[int, int]] | None:
    """Return the bounds of given tokens in their text, or None if they are not its tokens."""
    bounds, end = [], 0
    for token in tokens:
        start = text.find(token, end)
        if start < 0 or not token or text[end:start].strip():
            return None
        end = start + len(token)
        bounds.append((start, end))
    return None if text[end:].strip() else bounds


def _without_punctuation(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a word's bounds, and those of each punctuation mark before and after it; "U.S." and "Mr." are words."""
    while start < end - 1 and _OPENING.match(text[start]):
        yield start, start + 1
        start += 1
    after = []
    while start < end - 1 and _CLOSING.match(text[end - 1]) and not _ABBREVIATION.fullmatch(text[start:end]):
        after.append((end - 1, end))
        end -= 1
    yield start, end
    yield from reversed(after)


def _is_running_text(texts: Iterable[str]) -> bool:
    """Return whether punctuation is not yet separated from words."""
    words = [word for text in texts for word in text.split()]
    return sum(bool(_GLUED.search(word)) for word in words) > RUNNING_SHARE * len(words)
