"""The table of an ablation as text, Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from utils.ablation.results.summary import NOISE, VariantLine
from utils.dataset.layout import Size
from utils.wording import padded, terminal_width

Column = tuple[str, Callable[[VariantLine], str]]
LATEX = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})


@dataclass(frozen=True)
class Table:
    """Lines to show. Test scores are left out for those that are not in `tested`."""

    lines: Sequence[VariantLine]
    tested: frozenset[tuple[str, Size]]

    @classmethod
    def of(cls, lines: Sequence[VariantLine]) -> Table:
        return cls(lines, frozenset((line.variant, line.size) for line in lines))

    def shows_test(self, line: VariantLine) -> bool:
        return (line.variant, line.size) in self.tested

    def parts(self) -> list[list[list[str]]]:
        """Return two tables, each with a head and rows of cells: the scores, and what they were made from."""

        def tested(text: Callable[[VariantLine], str]) -> Callable[[VariantLine], str]:
            return lambda line: text(line) if self.shows_test(line) else ""

        names: list[Column] = [("size", lambda line: line.size), ("variant", lambda line: line.variant)]
        scores: list[Column] = [
            ("dev F1", lambda line: str(line.dev)),
            ("test F1", tested(lambda line: str(line.test))),
            ("to base", tested(_difference)),
            ("95 % interval", tested(_interval)),
            ("p", tested(lambda line: f"{line.comparison.p_value:.3f}" if line.comparison else "")),
            ("verdict", tested(lambda line: line.verdict)),
            ("worth", tested(lambda line: str(line.worth or ""))),
        ]
        data: list[Column] = [
            ("sentences", lambda line: _sum(line.data, "sentences", "synthetic")),
            ("spans", lambda line: _sum(line.data, "target_spans", "extension_spans")),
            ("seconds", lambda line: f"{line.seconds:.0f}"),
            ("LLM tokens", lambda line: str(line.tokens or "")),
            ("F1/million tokens", tested(_points)),
        ]
        return [self._cells([*names, *columns]) for columns in (scores, data)]

    def _cells(self, columns: Sequence[Column]) -> list[list[str]]:
        return [[name for name, _ in columns], *([text(line) for _, text in columns] for line in self.lines)]

    def to_text(self) -> str:
        """Return both tables with aligned columns, and an empty line between sizes."""
        return "\n\n".join(map(self._aligned, self.parts()))

    def _aligned(self, rows: Sequence[Sequence[str]]) -> str:
        widths = [max(map(terminal_width, column)) for column in zip(*rows, strict=True)]
        head, *shown = ("  ".join(map(padded, row, widths)).rstrip() for row in rows)
        text = [head]
        for number, row in enumerate(shown):
            if number and self.lines[number].size != self.lines[number - 1].size:
                text.append("")
            text.append(row)
        return "\n".join(text)

    def to_markdown(self) -> str:
        return "\n\n".join(map(_markdown, self.parts()))

    def to_latex(self) -> str:
        """Return both tables in environments `tabular`, with the rules of booktabs."""
        return "\n\n".join(map(_latex, self.parts()))

    def to_csv(self) -> str:
        """Return one number for each cell, not rounded, with the same names of columns as `csv_row`."""
        file = io.StringIO()
        rows = [self._csv_row(line) for line in self.lines]
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return file.getvalue()

    def _csv_row(self, line: VariantLine) -> dict[str, object]:
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


def _markdown(table: Sequence[Sequence[str]]) -> str:
    head, *rows = table
    return "\n".join([_row(head), _row(["---"] * len(head)), *map(_row, rows)])


def _latex(table: Sequence[Sequence[str]]) -> str:
    head, *rows = ([cell.translate(LATEX).replace("±", "$\\pm$") for cell in row] for row in table)
    lines = [f"\\begin{{tabular}}{{ll{'r' * (len(head) - 2)}}}", "\\toprule", f"{' & '.join(head)} \\\\", "\\midrule"]
    body = [f"{' & '.join(row)} \\\\" for row in rows]
    return "\n".join([*lines, *body, "\\bottomrule", "\\end{tabular}"])


def _difference(line: VariantLine) -> str:
    return f"{100 * line.comparison.difference:+.1f}" if line.comparison else ""


def _interval(line: VariantLine) -> str:
    if line.comparison is None:
        return ""
    interval = line.comparison.interval
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def _points(line: VariantLine) -> str:
    """Return the gain for a million tokens; a difference that chance may explain has no price."""
    if line.points_per_million is None:
        return ""
    return line.verdict if line.verdict == NOISE else f"{line.points_per_million:+.2f}"


def _sum(data: Mapping[str, int], first: str, second: str) -> str:
    """Return two numbers, such as "62 + 48", or the first alone if the second is 0."""
    return f"{data[first]} + {data[second]}" if data[second] else str(data[first])


def _row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
