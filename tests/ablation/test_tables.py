"""The table of an ablation as text, Markdown, CSV and LaTeX, and the plot."""

from __future__ import annotations

import csv
import io
import sys

import pytest

from utils.ablation.results.learning_curve import Worth
from utils.ablation.results.plot import write_plot
from utils.ablation.results.report import choice_note
from utils.ablation.results.summary import Score, VariantLine, best_on_dev
from utils.ablation.results.tables import Table
from utils.ner.scoring.bootstrap import Interval
from utils.ner.scoring.seed_comparison import SeedComparison


def line(variant, size, dev, test, difference=None, *, tokens=0, margin=0.01):
    comparison = None
    if difference is not None:
        interval = Interval(difference - margin, difference + margin)
        comparison = SeedComparison(difference, interval, 0.2 if abs(difference) < margin else 0.01, (difference,))
    data = {
        "sentences": int(size),
        "synthetic": 40 if tokens else 0,
        "target_spans": 90,
        "extension_spans": tokens // 9,
    }
    worth = Worth(104) if difference is not None else None
    return VariantLine(variant, size, Score(dev, 0.5), Score(test, 0.4), comparison, worth, data, tokens, 61.0)


LINES = [
    line("base", "250", 71.0, 70.2),
    line("soft_50%", "250", 73.5, 72.2, 0.02, tokens=500_000),
    line("fusion", "250", 71.5, 70.9, 0.007, tokens=300_000),
    line("base", "500", 74.0, 74.1),
    line("soft_50%", "500", 73.9, 72.1, -0.02, tokens=1_000_000),
    line("fusion", "500", 73.8, 74.1, 0.0),
]


def test_a_difference_is_called_better_worse_or_within_noise():
    verdicts = [one.verdict for one in LINES]
    assert verdicts == ["", "better", "within noise", "", "worse", "within noise"]


def test_the_text_is_aligned_and_shows_scores_and_cost():
    text = Table.of(LINES).to_text()
    scores, data = text.split("\n\nsize")
    rows = scores.split("\n")
    assert rows[2].split("  ")[0] == "250"
    assert "72.2 ± 0.4" in rows[2] and "+2.0" in rows[2] and "+1.0 to +3.0" in rows[2] and "+104" in rows[2]
    assert {row.index("±") for row in rows if "±" in row} == {rows[1].index("±")}
    assert "250 + 40" in data
    assert "+4.00" in data  # 2 points for half a million tokens
    assert data.count("within noise") == 1  # a gain that may be chance has no price


def test_markdown_has_the_same_cells():
    table = Table.of(LINES)
    lines = [one for one in table.to_markdown().split("\n") if one]
    assert len(lines) == 2 * (2 + len(LINES))
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in lines]
    assert cells[0] == table.parts()[0][0]
    assert cells[3] == [cell.strip() for cell in table.parts()[0][2]]


def test_csv_has_numbers_that_are_not_rounded():
    rows = list(csv.DictReader(io.StringIO(Table.of(LINES).to_csv())))
    assert float(rows[1]["difference"]) == pytest.approx(2)
    assert float(rows[1]["low"]) == pytest.approx(1)
    assert float(rows[1]["points_per_million_tokens"]) == pytest.approx(4)
    assert rows[0]["difference"] == ""
    assert rows[4]["verdict"] == "worse"
    assert rows[5]["llm_tokens"] == "0"


def test_latex_escapes_special_characters_and_has_as_many_cells_in_each_row():
    text = Table.of(LINES).to_latex()
    assert r"soft\_50\%" in text
    assert "±" not in text
    bodies = [part.split("\n") for part in text.split("\n\n")]
    for body, columns in zip(bodies, (9, 7), strict=True):
        assert body[0] == f"\\begin{{tabular}}{{ll{'r' * (columns - 2)}}}"
        assert {row.count(" & ") + 1 for row in body if row.endswith(r"\\")} == {columns}


def test_only_lines_that_are_tested_show_their_test_scores():
    table = Table(LINES, frozenset({("base", "250"), ("fusion", "250")}))
    rows = table.parts()[0]
    assert rows[1][3] == "70.2 ± 0.4"
    assert rows[2][3:] == [""] * 6
    assert rows[3][3] == "70.9 ± 0.4"
    assert [row["test_f1"] != "" for row in csv.DictReader(io.StringIO(table.to_csv()))] == [
        True,
        False,
        True,
        *[False] * 3,
    ]


def test_the_best_variant_on_dev_is_chosen_whatever_its_test_score():
    assert best_on_dev(LINES, "250").variant == "soft_50%"
    assert best_on_dev(LINES, "500").variant == "base"
    note = choice_note(LINES[1])
    assert "best on dev is soft_50% (dev F1 73.5 ± 0.5): test F1 72.2 ± 0.4, +2.0 to base" in note
    assert note.endswith("better")
    assert "no variant is better than base" in choice_note(LINES[3])


def test_without_matplotlib_a_line_says_how_to_get_the_plot(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    caplog.set_level("INFO")
    assert write_plot(LINES, tmp_path, "weibo") == []
    assert "pip install matplotlib" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lines", [LINES, LINES[:3], LINES[:1]])
def test_the_plot_is_the_same_in_every_run(tmp_path, lines):
    pytest.importorskip("matplotlib")
    files = [write_plot(lines, tmp_path / name, "weibo") for name in ("one", "two")]
    assert [path.name for path in files[0]] == ["plot.png", "plot.svg"]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    svg = files[0][1].read_text(encoding="utf-8")
    assert "difference to base" in svg
    assert ("annotated sentences" in svg) == (len(lines) > 3)
