"""One line about the last ablation of a dataset, for status.py and report.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from utils.ablation.cells import RESULT
from utils.ablation.variants import BASE
from utils.dataset.layout import Layout
from utils.files.text_files import read_csv
from utils.wording import agreeing, counted

Row = Mapping[str, str]  # of the table in CSV


def ablation_line(layout: Layout) -> str | None:
    """Return what ablate.py has found for the largest size with several variants; None if it has trained nothing."""
    cells = list(layout.ablation.rglob(RESULT))
    if not cells:
        return None
    table = layout.ablation_table
    found = _finding(_rows_of(table)) if table.is_file() else None
    if found is None:
        number = f"{counted(len(cells), 'training')} {agreeing(len(cells), 'is', 'are')} finished"
        return f"ablation: {number}, but nothing is compared yet: run ablate.py again"
    return f"ablation: {found} -> {table}"


def _rows_of(table: Path) -> list[dict[str, str]]:
    try:
        return read_csv(table)
    except ValueError:  # a table that was edited counts as missing
        return []


def _finding(rows: Sequence[Row]) -> str | None:
    """Return the scores of base and of the variant that is best on dev; None if there is only base."""
    try:
        sizes = [row["size"] for row in rows if row["variant"] != BASE]
        if not sizes:
            return None
        compared = [row for row in rows if row["size"] == sizes[-1]]
        base = next(row for row in compared if row["variant"] == BASE)
        best = max(compared, key=lambda row: float(row["dev_f1"]))
        words = f"size {base['size']}: base {_score(base)} on test; best on dev is {best['variant']}"
        if best is base:
            return f"{words}, no variant is better"
        return f"{words} with {_score(best)} ({float(best['difference']):+.1f}, {best['verdict']})"
    except (KeyError, StopIteration, TypeError, ValueError):  # a table that was edited, or of another version
        return None


def _score(row: Row) -> str:
    return f"{float(row['test_f1']):.1f} ± {float(row['test_sd']):.1f}"
