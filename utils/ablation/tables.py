"""The table of an ablation as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from utils.ablation.summary import Line
from utils.dataset.layout import Size

Column = tuple[str, Callable[[Line], str]]
LATEX = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})


@dataclass(frozen=True)
class Table:
    """Lines to show. Test scores are left out for those that are not in `tested`."""

    lines: Sequence[Line]
    tested: frozenset[tuple[str, Size]]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> Table:
        return cls(lines, frozenset((line.variant, line.size) for line in lines))

    def shows_test(self, line: Line) -> bool:
        return (line.variant, line.size) in self.tested

    def columns(self) -> list[Column]:
        """Return the name of each column, and how its cells are made."""

        def tested(text: Callable[[Line], str]) -> Callable[[Line], str]:
            return lambda line: text(line) if self.shows_test(line) else ""

        return [
            ("size", lambda line: line.size),
            ("variant", lambda line: line.variant),
            ("dev F1", lambda line: str(line.dev)),
            ("test F1", tested(lambda line: str(line.test))),
            ("to base", tested(_difference)),
            ("95 % interval", tested(_interval)),
            ("p", tested(lambda line: f"{line.comparison.p_value:.3f}" if line.comparison else "")),
            ("verdict", tested(lambda line: line.verdict)),
            ("worth", tested(lambda line: str(line.worth or ""))),
            ("sentences", lambda line: _sum(line.data, "sentences", "synthetic")),
            ("spans", lambda line: _sum(line.data, "target_spans", "extension_spans")),
            ("LLM tokens", lambda line: f"{line.tokens:,}".replace(",", " ") if line.tokens else ""),
            ("F1/M tokens", tested(_points)),
        ]

    def cells(self) -> list[list[str]]:
        """Return the head and the rows."""
        columns = self.columns()
        return [[name for name, _ in columns], *([text(line) for _, text in columns] for line in self.lines)]

    def to_text(self) -> str:
        """Return the table with aligned columns, and an empty line between sizes."""
        rows = self.cells()
        widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
        shown = ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines = [shown[0].rstrip()]
        for before, line, text in zip([None, *self.lines], self.lines, shown[1:], strict=False):
            if before is not None and before.size != line.size:
                lines.append("")
            lines.append(text.rstrip())
        return "\n".join(lines)

    def to_markdown(self) -> str:
        head, *rows = self.cells()
        return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])

    def to_latex(self) -> str:
        """Return the table in an environment `tabular`, with the rules of booktabs."""
        head, *rows = ([cell.translate(LATEX).replace("±", "$\\pm$") for cell in row] for row in self.cells())
        body = [f"{' & '.join(row)} \\\\" for row in rows]
        lines = [
            f"\\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}",
            "\\toprule",
            f"{' & '.join(head)} \\\\",
            "\\midrule",
        ]
        return "\n".join([*lines, *body, "\\bottomrule", "\\end{tabular}"])

    def to_csv(self) -> str:
        """Return one number for each cell, not rounded, with the same names of columns as `csv_row`."""
        file = io.StringIO()
        rows = [self._csv_row(line) for line in self.lines]
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return file.getvalue()

    def _csv_row(self, line: Line) -> dict[str, object]:
        row: dict[str, object] = {"size": line.size, "variant": line.variant}
        row |= {"dev_f1": line.dev.mean, "dev_sd": line.dev.deviation}
        names = (
            "test_f1",
            "test_sd",
            "difference",
            "low",
            "high",
            "p",
            "verdict",
            "worth",
            "points_per_million_tokens",
        )
        row |= dict.fromkeys(names, "")
        if self.shows_test(line):
            row |= {"test_f1": line.test.mean, "test_sd": line.test.deviation}
            if (found := line.comparison) is not None:
                row |= {"difference": 100 * found.difference, "p": found.p_value, "verdict": line.verdict}
                row |= {"low": 100 * found.interval.low, "high": 100 * found.interval.high}
                row |= {"worth": str(line.worth), "points_per_million_tokens": line.points_per_million or ""}
        return {**row, **line.data, "llm_tokens": line.tokens, "seconds": line.seconds}


def _difference(line: Line) -> str:
    return f"{100 * line.comparison.difference:+.1f}" if line.comparison else ""


def _interval(line: Line) -> str:
    if line.comparison is None:
        return ""
    interval = line.comparison.interval
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def _points(line: Line) -> str:
    return "" if line.points_per_million is None else f"{line.points_per_million:+.2f}"


def _sum(data: Mapping[str, int], first: str, second: str) -> str:
    """Return two numbers, such as "62 + 48", or the first alone if the second is 0."""
    return f"{data[first]} + {data[second]}" if data[second] else str(data[first])


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _width(text: str) -> int:
    """Return the columns that a text occupies on a terminal, where Chinese characters are two wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
