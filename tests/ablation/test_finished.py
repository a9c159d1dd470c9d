"""The line of status.py and report.py about an ablation."""

from __future__ import annotations

import pytest

from tests.ablation.test_tables import LINES, line
from tests.helpers.builders import write_json
from utils.ablation.cells import RESULT
from utils.ablation.results.finished import ablation_line
from utils.ablation.results.tables import Table
from utils.dataset.layout import Layout


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path, "tiny")


def add(layout, lines=()):
    """Write a finished training and, if there are lines, their table."""
    cell = layout.ablation / "base" / "250" / "seed_1-abc" / RESULT
    cell.parent.mkdir(parents=True, exist_ok=True)
    write_json(cell, {})
    if lines:
        (layout.ablation_table).write_text(Table.of(lines).to_csv(), encoding="utf-8")


def test_without_an_ablation_there_is_no_line(layout):
    assert ablation_line(layout) is None


def test_an_ablation_without_a_table_is_not_finished(layout):
    add(layout)
    expected = "ablation: 1 training is finished, but nothing is compared yet: run ablate.py again"
    assert ablation_line(layout) == expected
    add(layout, LINES[:1])  # base alone
    assert ablation_line(layout) == expected


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (LINES[:3], "size 250: base 70.2 ± 0.4 on test; best on dev is soft_50% with 72.2 ± 0.4 (+2.0, better) -> "),
        ([*LINES[:3], line("base", "1000", 77, 77)], "size 250: base 70.2 ± 0.4 on test; best on dev is soft_50% with"),
        (LINES, "size 500: base 74.1 ± 0.4 on test; best on dev is base, no variant is better -> "),
    ],
)
def test_the_line_names_the_variant_that_is_best_on_dev_with_its_verdict(layout, lines, words):
    add(layout, lines)
    assert str(ablation_line(layout)).startswith(f"ablation: {words}")


HUGE_CELL = f"size,variant\n250,{'a' * 200_000}\n"


@pytest.mark.parametrize(
    "text", ["", "size,variant\n250,soft\n", "size,variant,dev_f1\n250,base,x\n250,soft,1\n", HUGE_CELL]
)
def test_a_table_that_cannot_be_read_counts_as_missing(layout, text):
    add(layout)
    (layout.ablation_table).write_text(text, encoding="utf-8")
    assert "run ablate.py again" in str(ablation_line(layout))
