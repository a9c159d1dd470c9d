"""Datasets for the report, some of them hostile, and what is read back from its page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.helpers.builders import write_rows

ATTACK = "</script><script>document.title='attacked'</script>"
NASTY_TOKENS = [
    ATTACK,
    "<img src=x onerror=\"document.title='attacked'\">",
    "a\u2028b",
    "\"quoted'",
    "\u202eright",
    "مرحبا",
    "{{ 7 * 7 }}",
    "&amp;",
    "@section.flow",
]
NASTY_LABEL = "<b>\"'</script>&PER"
NASTY_NAME = "a 'set' & <b>"


def write_nasty(file_dir: Path) -> Path:
    """Write a dataset whose name, labels and tokens are not what a page expects; return its folder."""
    folder = file_dir / NASTY_NAME
    spans = [
        {"start": at, "end": at + 1, "entity": label}
        for at, label in enumerate([NASTY_LABEL, "مكان", "@numbers", NASTY_LABEL, "مكان"])
    ]
    rows: list[dict[str, Any]] = [
        {"text": NASTY_TOKENS, "entities": spans},
        {"text": ["العالم", "كبير"], "entities": []},
    ]
    write_rows(folder / "train_1000.jsonl", rows)
    (folder / "labels.txt").write_text(f"O\n{NASTY_LABEL}\nمكان\n@numbers\n", encoding="utf-8")
    return folder


def page_data(page: str) -> dict[str, Any]:
    """Return the data of a page, read as a browser finds them."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    value: dict[str, Any] = json.loads(found[1])
    return value


def decoded_spans(data: Mapping[str, Any], row: Sequence[Any]) -> list[tuple[int, int, str, str, float | None]]:
    """Return the spans of a row as (start, end, label, origin, score), decoded as data.js does."""
    numbers = [_number(ord(one)) for one in row[7]]
    spans, start = [], 0
    for at in range(0, len(numbers), 4):
        distance, length, pair, score = numbers[at : at + 4]
        start += -(distance + 1) // 2 if distance % 2 else distance // 2
        label, origin = data["pairs"][pair]
        shown = None if score == 0 else (score - 1) / 1000
        spans.append((start, start + length, data["labels"][label], data["origins"][origin], shown))
    return spans


def _number(code: int) -> int:
    if code < 0x7F:
        return code - 0x5D
    return (code - 0x800 if code >= 0xE000 else code) - 0xA1 + 34
