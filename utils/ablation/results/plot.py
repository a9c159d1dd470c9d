"""The plot of an ablation: F1 by the number of annotated sentences, and the differences to base."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.ablation.results.summary import VariantLine
from utils.ablation.variants import BASE
from utils.files.jsonl import replace_file

log = logging.getLogger(__name__)

FORMATS = ("png", "svg")
PANEL = 5.0  # inches
DOTS_PER_INCH = 150


def write_plot(lines: Sequence[VariantLine], folder: Path, title: str) -> list[Path]:
    """Write plot.png and plot.svg for lines whose test scores may be shown, and return their paths.

    Without matplotlib, nothing is written, and a line says so.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        log.info("there is no plot, because matplotlib is missing: pip install matplotlib, and run the command again")
        return []
    has_curve = len({line.size for line in lines}) > 1
    with matplotlib.rc_context({"svg.hashsalt": "ablate", "svg.fonttype": "none"}):  # the same bytes in every run
        figure = Figure(figsize=(PANEL * (1 + has_curve), PANEL), layout="constrained")
        panels = figure.subplots(1, 1 + has_curve, squeeze=False)[0]
        if has_curve:
            _draw_curves(panels[0], lines)
        _draw_differences(panels[-1], [line for line in lines if line.comparison is not None])
        figure.suptitle(title)
        return [_save(figure, folder / f"plot.{name}", name) for name in FORMATS]


def _draw_curves(axes: Any, lines: Sequence[VariantLine]) -> None:
    """Draw the mean test F1 of each variant by size, with the standard deviation of the seeds."""
    sentences = {line.size: line.data["sentences"] for line in lines if line.variant == BASE}
    for name in dict.fromkeys(line.variant for line in lines):
        own = [line for line in lines if line.variant == name]
        numbers = [sentences[line.size] for line in own]
        means, deviations = [line.test.mean for line in own], [line.test.deviation for line in own]
        axes.errorbar(numbers, means, deviations, label=name, marker="o", capsize=3, linewidth=2 if name == BASE else 1)
    axes.set_xscale("log")
    axes.set_xticks(list(sentences.values()), list(map(str, sentences.values())), minor=False)
    axes.minorticks_off()
    axes.set_xlabel("annotated sentences")
    axes.set_ylabel("test F1, mean and standard deviation")
    axes.legend()


def _draw_differences(axes: Any, lines: Sequence[VariantLine]) -> None:
    """Draw the difference of each variant to base with its interval, the first at the top."""
    for position, line in enumerate(reversed(lines)):
        if line.comparison is not None:
            found, interval = 100 * line.comparison.difference, line.comparison.interval
            colour = "grey" if line.comparison.is_noise else "tab:green" if found > 0 else "tab:red"
            axes.plot([100 * interval.low, 100 * interval.high], [position, position], color=colour)
            axes.plot([found], [position], marker="o", color=colour)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(lines)), [f"{line.variant}, size {line.size}" for line in reversed(lines)])
    axes.set_xlabel("test F1: difference to base, 95 % (grey: within noise)")


def _save(figure: Any, path: Path, name: str) -> Path:
    with replace_file(path) as file:
        figure.savefig(file, format=name, dpi=DOTS_PER_INCH, metadata={"Date": None} if name == "svg" else None)
    return path
