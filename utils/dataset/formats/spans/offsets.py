"""Offsets of a file, fitted to the text of its mentions.

Tools count differently. For the span "Rome" of "in 😀 Rome", the offsets may be

    5 and 9     characters, the end excluded: what this project uses
    5 and 8     characters, the last one included
    6 and 10    UTF-16 code units, as JavaScript counts: 😀 is two of them
    8 and 12    bytes of UTF-8: 😀 is four of them

Which of them a file uses is decided by the spans of the whole file, and said if it is not what the format promises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from utils.dataset.formats.documents import Document, RawSpan
from utils.dataset.formats.losses import Losses
from utils.dataset.formats.spans.conventions import Convention, Offsets
from utils.dataset.formats.spans.positions import position_map
from utils.dataset.tokens import DENSE_CHARACTER, without_spaces
from utils.wording import counted

MIN_SHIFTED = 3  # spans: with fewer, each is searched for by its text instead
FITTING_SHARE = 0.9  # of the spans: from here on, they are counted as a convention says
POOR_SHARE = 0.5  # of spans without a text that begin and end with words: below it, other conventions are tried
MAX_SAMPLE = 2000  # spans that decide


def fit_offsets(documents: Sequence[Document], offsets: Offsets, losses: Losses, name: str) -> list[Document]:
    """Return the documents with plain offsets: characters or tokens from 0, ends exclusive.

    A span whose mention is elsewhere in its text is moved there; a span that cannot be is dropped. Both are counted.
    """
    fitted: list[Document | None] = [None] * len(documents)
    for is_tokens in (True, False):
        chosen = [index for index, one in enumerate(documents) if isinstance(one.text, tuple) == is_tokens]
        group = [documents[index] for index in chosen]
        convention = find_convention(group, offsets, losses, name, tokens=is_tokens)
        for index, document in zip(chosen, group, strict=True):
            fitted[index] = _fitted(document, convention, losses)
    return [document for document in fitted if document is not None]


def find_convention(
    documents: Sequence[Document], offsets: Offsets, losses: Losses, name: str, *, tokens: bool
) -> Convention:
    usual = offsets.first(tokens=tokens)
    spans = [(document, span) for document in documents for span in document.spans]
    if not spans:
        return usual
    with_text = [(document, span) for document, span in spans if span.text]
    wrong = [pair for pair in with_text if not _fits(*pair, usual)]
    if with_text:
        found = _by_text(with_text, wrong, usual, offsets, tokens=tokens)
    else:
        found = _by_borders(spans, usual, offsets, tokens=tokens)
    if found != usual:
        reason = "their text" if with_text else "words and the ends of the texts"
        losses.note(f"{name}: the offsets are {found} (found by comparing {counted(len(spans), 'span')} with {reason})")
    elif offsets.varies and with_text:
        losses.note(f"{name}: {found} (found by comparing {counted(len(spans), 'span')} with their text)")
    return found


def _by_text(
    with_text: Sequence[tuple[Document, RawSpan]],
    wrong: Sequence[tuple[Document, RawSpan]],
    usual: Convention,
    offsets: Offsets,
    *,
    tokens: bool,
) -> Convention:
    """Return the convention under which most spans have their text; the usual one unless another is clearly better."""
    found = [pair for pair in wrong if _occurs(*pair)]
    if not found:
        return usual
    sample, best = _sample(with_text), usual
    most = sum(_fits(document, span, usual) for document, span in sample)
    tried = _sample(found)[:200]
    for convention in offsets.candidates(tokens=tokens):
        is_shifted = (convention.start, convention.end) != (usual.start, usual.end) and not offsets.varies
        if len(found) < (MIN_SHIFTED if is_shifted else 1):
            continue
        if sum(_fits(document, span, convention) for document, span in tried) <= len(tried) / 2:
            continue
        number = sum(_fits(document, span, convention) for document, span in sample)
        if number > most:
            best, most = convention, number
    return best


def _by_borders(
    spans: Sequence[tuple[Document, RawSpan]], usual: Convention, offsets: Offsets, *, tokens: bool
) -> Convention:
    """Return the convention for spans without a text: it must not leave the text, nor begin or end inside a word."""
    sample = _sample(spans)

    def good(convention: Convention) -> tuple[int, int]:
        borders = [_borders(document, span, convention) for document, span in sample]
        return sum(one is not None for one in borders), sum(bool(one) for one in borders)

    valid, clean = good(usual)
    if valid == len(sample) and (tokens or clean >= POOR_SHARE * len(sample)):
        return usual
    best, most = usual, (valid, clean)
    for convention in offsets.candidates(tokens=tokens):
        if convention.unit == "character" and tokens:
            continue  # without a text, nothing shows that tokens are not meant
        if (found := good(convention)) > most and found[0] == len(sample):
            best, most = convention, found
    is_clear = most[0] == len(sample) and (tokens or most[1] >= FITTING_SHARE * len(sample))
    return best if is_clear else usual


def _sample(pairs: Sequence[tuple[Document, RawSpan]]) -> Sequence[tuple[Document, RawSpan]]:
    return pairs[:: max(1, len(pairs) // MAX_SAMPLE)]


def _fitted(document: Document, convention: Convention, losses: Losses) -> Document:
    spans = [fitted for span in document.spans if (fitted := _fitted_span(document, span, convention, losses))]
    return replace(document, spans=tuple(spans))


def _fitted_span(document: Document, span: RawSpan, convention: Convention, losses: Losses) -> RawSpan | None:
    place = _place(document, span, convention)
    pieces = tuple(filter(None, (_place(document, replace(span, start=s, end=e), convention) for s, e in span.pieces)))
    if span.pieces:
        if place is None or len(pieces) < len(span.pieces):
            losses.add("span", "outside its text: dropped", example=f"{document.where}: {span}")
            return None
        return replace(span, start=place[0], end=place[1], pieces=pieces)
    if place is not None and (not span.text or same_mention(_between(document, *place), span.text)):
        return replace(span, start=place[0], end=place[1])
    nearest = _nearest(document, span, place[0] if place else span.start)
    example = f"{document.where}: {span}"
    if nearest is not None:
        losses.add("span", "moved to where its text is", example=example)
        return replace(span, start=nearest[0], end=nearest[1])
    if place is None:
        losses.add("span", "outside its text: dropped", example=example)
    else:
        losses.add("span", "its text is not in the sentence: dropped", example=example)
    return None


def _fits(document: Document, span: RawSpan, convention: Convention) -> bool:
    """Return whether a span has its text under a convention; of a discontinuous one, the pieces together."""
    parts = span.pieces or ((span.start, span.end),)
    places = [_place(document, replace(span, start=start, end=end), convention) for start, end in parts]
    if any(place is None for place in places):
        return False
    found = " ".join(_between(document, *place) for place in places if place)
    return span.text is not None and same_mention(found, span.text)


def same_mention(found: str, text: str) -> bool:
    """Return whether two mentions are the same; spaces and line breaks do not count."""
    return found == text or without_spaces(found) == without_spaces(text) != ""


def _occurs(document: Document, span: RawSpan) -> bool:
    return bool(span.pieces) or _nearest(document, span, 0) is not None


def _place(document: Document, span: RawSpan, convention: Convention) -> tuple[int, int] | None:
    """Return the plain offsets of a span under a convention, or None if it would leave the text."""
    start, end = span.start + convention.start, span.end + convention.end
    if (
        convention.unit == ("token" if isinstance(document.text, tuple) else "character")
        and convention.newline == "kept"
    ):
        return (start, end) if 0 <= start < end <= len(document.text) else None
    positions = position_map(document.text, convention.unit, convention.newline)
    places = positions.get(start), positions.get(end)
    if places[0] is None or places[1] is None or not places[0] < places[1]:
        return None
    return places[0], places[1]


def _between(document: Document, start: int, end: int) -> str:
    part = document.text[start:end]
    return part if isinstance(part, str) else "".join(part)


def _nearest(document: Document, span: RawSpan, start: int) -> tuple[int, int] | None:
    """Return the place of the span's text that is nearest to `start`, or None if the text does not occur."""
    if not span.text:
        return None
    return min(_occurrences(document, span.text), key=lambda place: abs(place[0] - start), default=None)


def _occurrences(document: Document, mention: str) -> Iterator[tuple[int, int]]:
    if isinstance(document.text, str):
        at = document.text.find(mention)
        while at >= 0:
            yield at, at + len(mention)
            at = document.text.find(mention, at + 1)
        return
    wanted = without_spaces(mention)
    for start in range(len(document.text)):
        joined = ""
        for end in range(start, len(document.text)):
            joined += without_spaces(document.text[end])
            if joined == wanted and joined:
                yield start, end + 1
                break
            if not wanted.startswith(joined):
                break


def _borders(document: Document, span: RawSpan, convention: Convention) -> bool | None:
    """Return None for a span that would leave its text; else whether it begins and ends with a word."""
    place = _place(document, span, convention)
    if place is None:
        return None
    if isinstance(document.text, tuple):
        return True
    start, end = place
    mention = document.text[start:end]
    cut = _is_inside_word(document.text, start) or _is_inside_word(document.text, end)
    return mention == mention.strip() and not cut


def _is_inside_word(text: str, at: int) -> bool:
    """Return whether a position is between two letters or digits of a script that is written with spaces."""
    return 0 < at < len(text) and all(one.isalnum() and not DENSE_CHARACTER.match(one) for one in text[at - 1 : at + 1])
