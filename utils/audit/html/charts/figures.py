"""The charts of the report by name, each with a table of its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.audit.html.charts.shapes import (
    WIDTH,
    Bar,
    draw_bars,
    draw_flow,
    draw_histogram,
    draw_intervals,
    draw_stacks,
)
from utils.audit.html.charts.svg import Canvas, Words, shown_as_is
from utils.audit.html.flow import StepFlow
from utils.audit.html.scores import AblationLine, EvaluatedModel
from utils.audit.html.statistics import Statistics, buckets
from utils.fusion.gold_agreement import RELATIONS

MAX_LABELS = 30  # in a chart; its table has all of them
DATA_COLOURS = {"base": "muted", "fusion": "c0", "syn_fusion": "c2"}

CellText = str  # "@key" is the key of a text


@dataclass(frozen=True)
class Figure:
    """A chart, and its numbers as a table: a head and rows."""

    name: str  # of its files, and of its title's text: "figure.<name>"
    draw: Callable[[Canvas], None]
    head: Sequence[CellText]
    rows: Sequence[Sequence[CellText]]

    def svg(self, words: Words, *, in_file: bool = False) -> str:
        """Return the chart for the page, or for a file of its own."""
        canvas = Canvas(WIDTH, words, in_file)
        self.draw(canvas)
        return canvas.to_svg(self.title(words))

    def title(self, words: Words) -> str:
        """Return the title, with the sentences that the chart is about."""
        name, _, part = self.name.rpartition("_")
        if part in ("original", "synthetic"):
            return f"{words(f'figure.{name}')}: {words(f'part.{part}')}"
        return words(f"figure.{self.name}")


def flow_figure(flows: Sequence[StepFlow]) -> Figure:
    rows = [
        (flow.step, f"@{flow.part}", f"@{flow.unit}", str(flow.total), _losses(flow), str(flow.kept)) for flow in flows
    ]
    head = ("@head.step", "@head.part", "@head.unit", "@head.in", "@head.lost", "@head.out")
    return Figure("flow", lambda canvas: draw_flow(canvas, flows), head, rows)


def _losses(flow: StepFlow) -> str:
    return ", ".join(f"{loss.number} {loss.reason}" for loss in flow.losses)


def label_figures(name: str, counts: Statistics) -> Iterator[Figure]:
    """Yield the charts of the labels and of the lengths of some sentences; `name` is that of these sentences."""
    if counts.targets:
        pairs = counts.targets.most_common()
        yield _label_figure(f"targets_{name}", [(label, number, "c0") for label, number in pairs])
    if counts.extensions:
        pairs = [(f"{label} ({origin})", number) for (origin, label), number in counts.extensions.most_common()]
        yield _label_figure(f"extensions_{name}", [(label, number, "c5") for label, number in pairs])
    yield _length_figure(f"lengths_{name}", counts.sentence_lengths, "c0", "axis.tokens")
    if counts.target_lengths:
        yield _length_figure(f"target_lengths_{name}", counts.target_lengths, "c2", "axis.span_tokens")


def _label_figure(name: str, rows: Sequence[tuple[str, int, str]]) -> Figure:
    bars = [Bar(label, number, colour) for label, number, colour in rows[:MAX_LABELS]]
    table = [(shown_as_is(label), str(number)) for label, number, _ in rows]
    return Figure(name, lambda canvas: draw_bars(canvas, bars), ("@head.label", "@head.spans"), table)


def _length_figure(name: str, counts: Counter[int], colour: str, unit: str) -> Figure:
    ranges = buckets(counts)
    table = [(label, str(number)) for label, number in ranges]
    return Figure(
        name, lambda canvas: draw_histogram(canvas, ranges, colour, unit), ("@head.length", "@head.number"), table
    )


def agreement_figures(rows: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield a chart of the relations of extension spans to gold spans for each origin in the file of the agreement."""
    for origin in ("entity", "pos"):
        labels = rows.get(origin, {}).get("labels", {}) if isinstance(rows.get(origin), dict) else {}
        entries = sorted(labels.items(), key=lambda pair: -pair[1]["spans"])
        if not entries:
            continue
        stacks = [(label, _relation_counts(entry)) for label, entry in entries]
        head = ("@head.label", *(f"@relation.{relation}" for relation in RELATIONS), "@head.agreement", "@head.chance")
        table = [
            (
                shown_as_is(label),
                *map(str, numbers),
                _number(entry["agreement"]),
                f"@verdict.{entry['better_than_chance']}",
            )
            for (label, numbers), (_, entry) in zip(stacks, entries, strict=True)
        ]
        shown = stacks[:MAX_LABELS]
        yield Figure(f"agreement_{origin}", _stack_drawer(shown), head, table)


def _relation_counts(entry: Mapping[str, Any]) -> list[int]:
    """Return the numbers of spans by their relation; raise TypeError if a file from elsewhere has other values."""
    counts = [entry[relation] for relation in RELATIONS]
    if not all(type(count) is int for count in counts):
        raise TypeError("not a number of spans")
    return counts


def _stack_drawer(rows: Sequence[tuple[str, Sequence[int]]]) -> Callable[[Canvas], None]:
    return lambda canvas: draw_stacks(canvas, [f"relation.{relation}" for relation in RELATIONS], rows)


def score_figures(models: Sequence[EvaluatedModel]) -> Iterator[Figure]:
    """Yield the chart of the test scores of all models, and one of their labels."""
    if not models:
        return
    bars = [
        Bar(
            f"{one.data} {one.size}",
            100 * one.scores.f1,
            DATA_COLOURS[one.data],
            str(one.scores).removeprefix("F1 "),
            100 * (one.scores.deviation or 0),
        )
        for one in models
    ]
    head = ("@head.data", "@head.size", "P", "R", "F1", "±", "@head.note")
    table = [
        (
            one.data,
            one.size,
            _points(one.scores.precision),
            _points(one.scores.recall),
            _points(one.scores.f1),
            "" if one.scores.deviation is None else _points(one.scores.deviation),
            one.note,
        )
        for one in models
    ]
    yield Figure("scores", lambda canvas: draw_bars(canvas, bars, largest=100), head, table)
    yield _label_score_figure(models)


def _label_score_figure(models: Sequence[EvaluatedModel]) -> Figure:
    labels = list(dict.fromkeys(label for one in models for label in one.scores.per_label))
    bars = [
        Bar(
            f"{label} {one.data} {one.size}",
            100 * one.scores.per_label[label],
            DATA_COLOURS[one.data],
            _points(one.scores.per_label[label]),
        )
        for label in labels
        for one in models
        if label in one.scores.per_label
    ]
    rows = [(shown_as_is(label), *(_points(one.scores.per_label.get(label)) for one in models)) for label in labels]
    head = ("@head.label", *(f"{one.data} {one.size}" for one in models))
    return Figure("label_scores", lambda canvas: draw_bars(canvas, bars, largest=100), head, rows)


def ablation_figure(lines: Sequence[AblationLine]) -> Figure:
    compared = [
        (one.name, one.difference, one.low, one.high)
        for one in lines
        if one.difference is not None and one.low is not None and one.high is not None
    ]
    columns = list(lines[0].cells)
    table = [tuple(shown_as_is(_rounded(line.cells.get(column, ""))) for column in columns) for line in lines]
    head = [shown_as_is(column) for column in columns]
    return Figure("ablation", lambda canvas: draw_intervals(canvas, compared), head, table)


def _rounded(text: str) -> str:
    try:
        return f"{float(text):.4g}" if "." in text else text
    except ValueError:
        return text


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
