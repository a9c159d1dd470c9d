"""Two sentences, what an answer about them contains, and how tests read an answer."""

from __future__ import annotations

from utils.dataset.modes import Mode
from utils.parsing import read_answer

ENGLISH = "Ann Lee and Bob flew to Oslo"
CHINESE = "张三和李四从北京去上海"
BOTH = [("Ann Lee", "PER"), ("Oslo", "LOC")]
ALL = [("Ann Lee", "PER"), ("Bob", "PER"), ("Oslo", "LOC")]
ALL_ZH = [("张三", "人名"), ("李四", "人名"), ("北京", "地名"), ("上海", "地名")]


def read(answer: str, sentence: str | None, mode: Mode = "entity") -> list[tuple[str, str]] | None:
    """Return the texts and labels of an answer's items, or None if it cannot be read."""
    found = read_answer(answer, mode, sentence)
    return None if found is None else [(item.text, item.label) for item in found]
