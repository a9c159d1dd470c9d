"""Sentences with their spans drawn in a notebook."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from utils.audit.html.charts.svg import LIGHT, NUM_COLOURS
from utils.audit.html.spans import lanes_of
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import Sentence, Span, sentence_from_row
from utils.dataset.tokens import tokenisation_of
from utils.wording import agreeing, counted, printable

MAX_ROWS = 100  # sentences that are drawn at once
LANE, TEXT, NAME = 18, 24, 6.4  # heights of a lane and of the text, width of a character of a name, in pixels
STYLES = {"entity": "dashed", "pos": "dotted", "ner": "double"}  # of the bars, by origin; others are solid


@dataclass(frozen=True)
class Drawing:
    """Sentences as HTML; a notebook shows it where it is the value of a cell."""

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __str__(self) -> str:
        return self.html


def show(sentences: Any, *, limit: int = MAX_ROWS) -> Drawing | None:
    """Draw a sentence, or several, with their nested spans.

    A sentence is a `Sentence`, or a row of a file: {"text": [...], "entities": [...]}. In a notebook, the drawing is
    displayed, and None is returned; elsewhere, the drawing is returned. At most `limit` sentences are drawn.
    """
    rows = [sentences] if isinstance(sentences, (Sentence, Mapping)) else list(_firsts(sentences, limit + 1))
    drawn = [_draw(_sentence(row)) for row in rows[:limit]]
    if len(rows) > limit:
        first = f"only the first {counted(limit, 'sentence')} {agreeing(limit, 'is', 'are')} drawn"
        drawn.append(f'<div style="color:{LIGHT["muted"]}">{first}</div>')
    drawing = Drawing("\n".join(drawn))
    if "ipykernel" not in sys.modules:
        return drawing
    from IPython.display import display

    display(drawing)
    return None


def _firsts(rows: Iterable[Any], number: int) -> Iterable[Any]:
    if isinstance(rows, str):
        raise ValueError("show() needs a sentence with its spans, such as a row of a file, and not a text")
    for place, row in enumerate(rows):
        if place == number:
            return
        yield row


def _sentence(row: Any) -> Sentence:
    if isinstance(row, Sentence):
        return row
    if not isinstance(row, Mapping):
        raise ValueError(f"a sentence must be an object with text and entities, found {type(row).__name__}")
    text = row.get("text")
    tokenisation = tokenisation_of([text] if isinstance(text, (str, list)) else [])
    return sentence_from_row({"entities": [], **row}, id=str(row.get("id", "")), tokenisation=tokenisation)


def _draw(sentence: Sentence) -> str:
    lanes = lanes_of(sentence.spans)
    colours = _colours(sentence.spans)
    pairs = list(zip(sentence.spans, lanes, strict=True))
    is_dense = all(len(token) == 1 for token in sentence.tokens)
    spaces = _spaces(sentence.tokens, sentence.spans, gap=0.0 if is_dense else 5.0)
    tokens = []
    for place, token in enumerate(sentence.tokens):
        own = [pair for pair in pairs if pair[0].start <= place < pair[0].end]
        height = TEXT + LANE * max((lane + 1 for _, lane in own), default=0)
        bars = "".join(_bar(span, lane, place, colours[span.label]) for span, lane in own)
        style = f"display:inline-block;position:relative;vertical-align:top;height:{height}px;white-space:pre"
        text = escape(printable(token))
        tokens.append(f'<span style="{style};padding-inline-end:{spaces[place]:.0f}px"><bdi>{text}</bdi>{bars}</span>')
    return f'<div dir="{_direction(sentence.tokens)}" style="line-height:{TEXT}px;margin:6px 0">{"".join(tokens)}</div>'


def _bar(span: Span, lane: int, place: int, colour: str) -> str:
    end = "3px" if place == span.end - 1 else "0"
    style = STYLES.get(str(span.origin), "solid")
    score = f" {span.score:.3f}" if isinstance(span.score, (int, float)) else ""
    title = escape(printable(f"{span.label} {span.start}–{span.end} {span.origin or 'gold'}{score}"), quote=True)
    where = f"position:absolute;inset-inline-start:0;inset-inline-end:{end};top:{TEXT + LANE * lane}px"
    name = ""
    if place == span.start:
        small = "position:absolute;inset-inline-start:0;top:0;font-size:10px;line-height:12px;white-space:nowrap"
        name = f'<bdi style="{small}">{escape(printable(span.label))}</bdi>'
    return f'<span title="{title}" style="{where};border-top:4px {style} {colour}">{name}</span>'


def _colours(spans: Sequence[Span]) -> dict[str, str]:
    """Return the colour of each label: target labels have different ones, extension labels are grey."""
    targets = sorted({span.label for span in spans if span.origin not in EXTENSION_MODES})
    colours = {label: LIGHT["muted"] for span in spans if (label := span.label)}
    return colours | {label: LIGHT[f"c{number % NUM_COLOURS}"] for number, label in enumerate(targets)}


def _spaces(tokens: Sequence[str], spans: Sequence[Span], *, gap: float) -> list[float]:
    """Return the space after each token: enough that the name of each span fits below its tokens."""
    widths = [_width(token) + gap for token in tokens]
    spaces = [gap] * len(tokens)
    for span in sorted(spans, key=lambda one: one.end - one.start):
        missing = NAME * len(span.label) + 8 - sum(widths[span.start : span.end])
        if missing > 0:
            widths[span.end - 1] += missing
            spaces[span.end - 1] += missing
    return spaces


def _direction(tokens: Sequence[str]) -> str:
    """Return the direction of the first letter; dir="auto" does not look into the elements of the tokens."""
    kinds = (unicodedata.bidirectional(one) for token in tokens for one in token)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def _width(token: str) -> float:
    return sum(14.0 if ord(one) > 0x2E80 else 7.5 for one in token)
