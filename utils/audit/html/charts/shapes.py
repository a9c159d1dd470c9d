"""The kinds of charts: horizontal bars, histograms, stacked bars, intervals, and the flow through the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.audit.html.charts.svg import NUM_COLOURS, Canvas, shortened, shown_as_is, text_width
from utils.audit.html.flow import StepFlow

WIDTH = 640.0
ROW = 22.0  # height of a bar with its gap
LABEL = 190.0  # width of the names at the left
MIN_SHARE = 1.5  # pixels of the thinnest band


@dataclass(frozen=True)
class Bar:
    """A named number with a colour, and an error to both sides."""

    name: str
    value: float
    colour: str = "c0"
    shown: str = ""  # the number as text
    error: float = 0.0


def draw_bars(canvas: Canvas, bars: Sequence[Bar], *, largest: float | None = None) -> None:
    """Draw a horizontal bar for each number, with its name at the left and the number after it."""
    most = largest or max((bar.value for bar in bars), default=0) or 1
    left, room = LABEL + 8, canvas.width - LABEL - 90
    for number, bar in enumerate(bars):
        top = number * ROW
        canvas.text(LABEL, top + 15, _named(bar.name, LABEL), anchor="end")
        length = room * bar.value / most
        canvas.rectangle(left, top + 4, max(length, 1.0 if bar.value else 0.0), ROW - 8, bar.colour)
        if bar.error:
            spread = room * bar.error / most
            canvas.line((left + length - spread, top + 11), (left + length + spread, top + 11), "ink", width=2)
        canvas.text(left + length + (room * bar.error / most) + 6, top + 15, bar.shown or f"{bar.value:g}")


def draw_histogram(canvas: Canvas, counts: Sequence[tuple[str, int]], colour: str, unit: str) -> None:
    """Draw a vertical bar for each range; `unit` is the key of the text below the axis."""
    height, left = 150.0, 52.0
    most = max((count for _, count in counts), default=0) or 1
    step = (canvas.width - left) / max(1, len(counts))
    for share in (0.0, 0.5, 1.0):
        base = 12 + height * (1 - share)
        canvas.line((left, base), (canvas.width, base), "line")
        canvas.text(left - 6, base + 4, f"{most * share:.0f}", anchor="end", colour="muted")
    every = max(1, -(-len(counts) * 46 // int(canvas.width - left)))
    for number, (name, count) in enumerate(counts):
        length = height * count / most
        place = left + number * step
        canvas.rectangle(place + 1, 12 + height - length, step - 2, length, colour, title=f"{name}: {count}")
        if number % every == 0:
            canvas.text(place + step / 2, height + 28, name, anchor="middle", colour="muted")
    canvas.text((left + canvas.width) / 2, height + 48, f"@{unit}", anchor="middle", colour="muted")


def draw_stacks(canvas: Canvas, parts: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> None:
    """Draw a bar of the whole width for each row, divided by its numbers; `parts` are the keys of their names."""
    place = LABEL + 8
    for number, part in enumerate(parts):
        canvas.rectangle(place, 2, 12, 12, f"c{number % NUM_COLOURS}")
        canvas.text(place + 17, 13, f"@{part}", colour="muted")
        place += 34 + text_width(canvas.words(part))
    room = canvas.width - LABEL - 70
    for index, (name, values) in enumerate(rows):
        top, left, total = 24 + index * ROW, LABEL + 8, sum(values) or 1
        canvas.text(LABEL, top + 15, _named(name, LABEL), anchor="end")
        for number, value in enumerate(values):
            length = room * value / total
            title = f"{name} {canvas.words(parts[number])}: {value}"
            canvas.rectangle(left, top + 3, length, ROW - 6, f"c{number % NUM_COLOURS}", title=title)
            if length > text_width(str(value)) + 6:
                canvas.rectangle(left + 2, top + 5, text_width(str(value)) + 4, ROW - 10, "page")
                canvas.text(left + 4, top + 15, str(value))
            left += length
        canvas.text(LABEL + 14 + room, top + 15, str(sum(values)), colour="muted")


def draw_intervals(canvas: Canvas, rows: Sequence[tuple[str, float, float, float]]) -> None:
    """Draw a difference with its interval for each row (name, difference, low, high), and the line of no difference."""
    ends = [0.0, *(end for row in rows for end in row[2:])]
    low, high = min(ends), max(ends)
    room, span = canvas.width - LABEL - 90, (high - low) or 1
    zero = LABEL + 8 + room * (0 - low) / span
    for number, (name, difference, start, end) in enumerate(rows):
        top = number * ROW
        first, last = (LABEL + 8 + room * (one - low) / span for one in (start, end))
        middle = LABEL + 8 + room * (difference - low) / span
        colour = "muted" if start <= 0 <= end else "c2" if difference > 0 else "c1"
        canvas.text(LABEL, top + 15, _named(name, LABEL), anchor="end")
        canvas.line((first, top + 11), (last, top + 11), colour, width=3)
        canvas.rectangle(middle - 4, top + 7, 8, 8, colour)
        canvas.text(canvas.width - 78, top + 15, f"{difference:+.1f}")
    canvas.line((zero, 0), (zero, len(rows) * ROW + 4), "ink")
    canvas.text(zero, len(rows) * ROW + 20, "0", anchor="middle", colour="muted")


def draw_flow(canvas: Canvas, flows: Sequence[StepFlow]) -> None:
    """Draw, for each step, the band of what is kept and those of what is lost, with reasons and numbers."""
    left, bar, right, top = 208.0, 12.0, 360.0, 4.0
    for flow in flows:
        rows = [*flow.losses]
        height = max(34.0, 18.0 * (len(rows) + 1) + 2)
        full = min(height, 46.0 if rows else 26.0)
        canvas.text(0, top + 13, flow.step, bold=True)
        canvas.text(28, top + 13, f"@{flow.part}")
        canvas.text(28, top + 29, f"{flow.total} ", f"@{flow.unit}", colour="muted")
        canvas.rectangle(left, top, bar, full, "ink")
        total = flow.total or 1
        kept = full * flow.kept / total
        canvas.ribbon((left + bar, top, top + kept), (right, top + 2, top + 2 + max(kept, MIN_SHARE)), "c2")
        canvas.rectangle(right, top + 2, 6, max(kept, MIN_SHARE), "c2")
        canvas.text(right + 14, top + 13, "@flow.kept", f" {flow.kept} ({flow.kept / total:.0%})")
        start, middle = top + kept, top + 26
        for loss in rows:
            share = full * loss.number / total
            canvas.ribbon(
                (left + bar, start, start + share),
                (right, middle - max(share, MIN_SHARE) / 2, middle + max(share, MIN_SHARE) / 2),
                "c1",
            )
            canvas.text(right + 14, middle + 4, f"@reason.{loss.reason}", f" {loss.number}")
            start, middle = start + share, middle + 18
        top = max(top + height, canvas.height) + 12
        if flow.remarks:
            pieces = [piece for one in flow.remarks for piece in (f"@reason.{one.reason}", f" {one.number}   ")]
            canvas.text(28, top + 4, *pieces, colour="muted")
            top += 18
        canvas.line((0, top - 4), (canvas.width, top - 4), "line")
        top += 6


def _named(name: str, width: float) -> str:
    """Return a name that fits in front of a bar."""
    return shown_as_is(shortened(name, width))
