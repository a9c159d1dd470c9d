"""Drawing SVG: rectangles, lines, curves and texts, in the colours of the page or of a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from utils.wording import printable

FONT = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
SIZE = 13.0  # of texts, in pixels
# The colours of Okabe and Ito: people with any colour vision can tell them apart, and texts name what they show.
LIGHT: Mapping[str, str] = {
    "c0": "#0072b2",
    "c1": "#d55e00",
    "c2": "#009e73",
    "c3": "#cc79a7",
    "c4": "#e69f00",
    "c5": "#56b4e9",
    "c6": "#7a5195",
    "c7": "#8c6d00",
    "ink": "#1b1f24",
    "muted": "#57606a",
    "line": "#d0d7de",
    "page": "#ffffff",
}
NUM_COLOURS = 8

Words = Callable[[str], str]  # the key of a text -> the text


@dataclass
class Canvas:
    """A drawing of a fixed width. Its colours are names of `LIGHT`: variables of the page, or values in a file."""

    width: float
    words: Words
    in_file: bool = False  # else inside the page, where texts can change their language, and colours their theme
    height: float = 0.0
    parts: list[str] = field(default_factory=list)

    def rectangle(self, left: float, top: float, width: float, height: float, colour: str, *, title: str = "") -> None:
        """Add a filled rectangle, with a tooltip."""
        tip = f"<title>{_text(title)}</title>" if title else ""
        place = f'x="{left:.1f}" y="{top:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}"'
        self.parts.append(f'<rect {place} fill="{self._colour(colour)}">{tip}</rect>')
        self._extend(top + height)

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str, *, width: float = 1.0) -> None:
        """Add a straight line."""
        place = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
        self.parts.append(f'<line {place} stroke="{self._colour(colour)}" stroke-width="{width:g}"/>')
        self._extend(max(start[1], end[1]))

    def ribbon(self, left: tuple[float, float, float], right: tuple[float, float, float], colour: str) -> None:
        """Add a curved band between two vertical edges, each (x, top, bottom)."""
        (x0, top0, bottom0), (x1, top1, bottom1) = left, right
        middle = (x0 + x1) / 2
        path = (
            f"M{x0:.1f},{top0:.1f} C{middle:.1f},{top0:.1f} {middle:.1f},{top1:.1f} {x1:.1f},{top1:.1f} "
            f"L{x1:.1f},{bottom1:.1f} C{middle:.1f},{bottom1:.1f} {middle:.1f},{bottom0:.1f} {x0:.1f},{bottom0:.1f} Z"
        )
        self.parts.append(f'<path d="{path}" fill="{self._colour(colour)}" fill-opacity="0.45"/>')
        self._extend(max(bottom0, bottom1))

    def text(
        self, left: float, base: float, *pieces: str, anchor: str = "start", colour: str = "ink", bold: bool = False
    ) -> None:
        """Add a line of text. A piece that begins with "@" is the key of a text, other pieces are shown as they are."""
        shown = "".join(self._piece(piece) for piece in pieces)
        style = ' font-weight="600"' if bold else ""
        place = f'x="{left:.1f}" y="{base:.1f}" text-anchor="{anchor}" fill="{self._colour(colour)}"'
        self.parts.append(f"<text {place}{style}>{shown}</text>")
        self._extend(base + 4)

    def to_svg(self, title: str) -> str:
        """Return the drawing; `title` is read out in its place."""
        size = f'viewBox="0 0 {self.width:.0f} {self.height + 4:.0f}"'
        own = f' xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height + 4:.0f}"'
        back = f'<rect width="100%" height="100%" fill="{LIGHT["page"]}"/>' if self.in_file else ""
        label = quoteattr(printable(title))
        head = f'<svg{own if self.in_file else ""} {size} role="img" aria-label={label} font-size="{SIZE:g}"'
        return f'{head} font-family="{FONT}">{back}{"".join(self.parts)}</svg>'

    def _colour(self, name: str) -> str:
        return LIGHT[name] if self.in_file else f"var(--{name})"

    def _piece(self, piece: str) -> str:
        if not piece.startswith("@"):
            return f"<tspan>{_text(piece)}</tspan>"
        key = piece[1:]
        return f"<tspan data-t={quoteattr(key)}>{_text(self.words(key))}</tspan>"

    def _extend(self, bottom: float) -> None:
        self.height = max(self.height, bottom)


def shown_as_is(text: str) -> str:
    """Return a text from a file such that it is never read as the key of a text of the page."""
    return f"\u200b{text}" if text.startswith("@") else text


def text_width(text: str) -> float:
    """Return about how wide a text is, in pixels; characters of East Asia are as wide as they are high."""
    return sum(SIZE if unicodedata.east_asian_width(one) in "WF" else 0.56 * SIZE for one in text)


def shortened(text: str, width: float) -> str:
    """Return a text that fits into a width; a longer one ends in an ellipsis."""
    if text_width(text) <= width:
        return text
    kept = text
    while kept and text_width(kept + "…") > width:
        kept = kept[:-1]
    return kept + "…"


def _text(text: str) -> str:
    return escape(printable(text))  # XML does not allow all characters
