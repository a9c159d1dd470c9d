"""The results of `benchmarks/gpu.py` as JSON and as Markdown."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import transformers

from benchmarks.gpu_parts.setup import Part, Row, Session

TITLES: dict[Part, str] = {
    "a": "(a) Decoding with an LLM",
    "b": "(b) The span model",
    "c": "(c) A whole training",
    "d": "(d) Trainings side by side",
}
GUIDED_SHARE, SENTENCES_RATIO, STEP_RATIO = 0.7, 3.0, 1.3  # the goals of the project


def as_json(session: Session) -> dict[str, Any]:
    """Return everything that was found."""
    return {
        "card": session.card(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "transformers": transformers.__version__,
        "tokenizer": session.tokenizer.name if session.tokenizer else "bytes",
        "data": session.data.name,
        "seconds": round(time.monotonic() - session.begin, 1),
        "rows": session.rows,
        "goals": goals(session.rows) if session.on_gpu else [],  # tiny models on a CPU say nothing about them
        "skipped": session.skipped,
    }


def as_markdown(session: Session) -> str:
    """Return a table for each part, the goals, and what was skipped."""
    found = as_json(session)
    about = ", ".join(f"{name} {found[name]}" for name in ("torch", "cuda", "transformers", "tokenizer", "data"))
    lines = [f"# {found['card']}", "", f"{about}; {found['seconds']} s"]
    for part, rows in session.rows.items():
        lines += ["", f"## {TITLES[part]}", "", *_table(rows)]
    lines += [
        "",
        "## Goals",
        "",
        *(_table(found["goals"]) if found["goals"] else ["Nothing was measured that can be compared."]),
    ]
    if session.skipped:
        lines += ["", "## Skipped", "", *(f"- {line}" for line in session.skipped)]
    return "\n".join(lines) + "\n"


def goals(measured: Mapping[Part, Sequence[Row]]) -> list[Row]:
    """Return what was measured beside each goal, for sizes that were measured both ways."""
    rows = measured.get("a", [])
    free = {row["batch"]: row for row in rows if row["what"] == "generate"}
    found = []
    for row in rows:
        other = free.get(row.get("batch"))
        if other is None or not row["what"].startswith("ours, guided"):
            continue
        share = row["tokens/s"] / other["tokens/s"]
        found.append(_goal(f"{row['what']}: tokens/s of generate, batches of {row['batch']}", share, GUIDED_SHARE))
        if row["batch"] >= 256:
            speed = other["tokens/s"] / row["tokens a sentence"]  # of generate, for answers of this length
            ratio = row["sentences/s"] / speed
            found.append(_goal(f"{row['what']}: sentences/s of generate, batches of 256", ratio, SENTENCES_RATIO))
    found += [
        _goal(f"training step / step of {row['encoder']}, {row['words']} words", row["step / encoder"], STEP_RATIO)
        for row in measured.get("b", [])
        if row.get("words") == 128
    ]
    return found


def _goal(what: str, value: float, goal: float) -> Row:
    kind = "at most" if goal == STEP_RATIO else "at least"
    is_met = value <= goal if goal == STEP_RATIO else value >= goal
    return {"what": what, "measured": round(value, 2), "goal": f"{kind} {goal:g}", "met": "yes" if is_met else "no"}


def _table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a Markdown table with every key of the rows as a column."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [["" if row.get(name) is None else str(row[name]) for name in columns] for row in rows]
    return [f"| {' | '.join(line)} |" for line in [columns, ["---"] * len(columns), *cells]]
