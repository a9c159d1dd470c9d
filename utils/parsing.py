"""An LLM's answer as items: what was marked, and with which label."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import json_repair

TEXT_KEYS = ("entity", "word", "name", "text", "token", "mention", "实体", "词", "词语", "单词", "名称")
LABEL_KEYS = ("type", "pos", "label", "tag", "category", "类型", "词性", "标签", "类别")

DEEPEST = 20  # arrays and objects inside each other that are looked into


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of text that an LLM marked, and the label that it gave it ("" where it gave none)."""

    text: str
    label: str


def parse_items(answer: str, mode: Literal["entity", "pos"]) -> list[Item]:
    """Return the items of an answer; none where it cannot be read. Never raises, whatever the answer holds."""
    return read_answer(answer, mode) or []


def read_answer(answer: str, mode: Literal["entity", "pos"]) -> list[Item] | None:
    """Return the items of an answer, or None where it holds no JSON that could be read.

    An answer that says clearly that there is nothing (`[]`) is an empty list. Both modes are read alike: `mode`
    only says which of an item's keys is looked at first.
    """
    text = re.sub(r"<think>.*?(</think>|\Z)", "", answer, flags=re.DOTALL).strip()
    values = _json_values(text)
    items = [item for value in values for item in _items(value, "entity" if mode == "entity" else "word", DEEPEST)]
    return items if items or [] in values else None


def _json_values(text: str) -> list[Any]:
    """Return the arrays and objects of `text`, one behind the other; repaired from the first broken one on."""
    values = []
    decoder = json.JSONDecoder()
    at = _next_bracket(text, 0)
    while at is not None:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            value, end = _repaired(text[at:]), len(text)
        if isinstance(value, (list, dict)):
            values.append(value)
        at = _next_bracket(text, end)
    return values


def _next_bracket(text: str, since: int) -> int | None:
    found = re.compile(r"[\[{]").search(text, since)
    return found.start() if found else None


def _repaired(text: str) -> Any:
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):  # thousands of open brackets
        return None


def _items(value: Any, first_key: str, depth: int) -> Iterable[Item]:
    """Yield the items of a value: an array of objects, one object, `{text: label}`, or `[text, label]` pairs."""
    if depth == 0:
        return
    if isinstance(value, dict):
        yield from _object_items(value, first_key, depth)
    elif isinstance(value, list):
        if len(value) == 2 and all(isinstance(part, str) for part in value):
            if value[0].strip():
                yield Item(value[0].strip(), value[1].strip())
            return
        for part in value:
            if isinstance(part, (dict, list)):
                yield from _items(part, first_key, depth - 1)


def _object_items(value: dict[Any, Any], first_key: str, depth: int) -> Iterable[Item]:
    text = _first(value, (first_key, *TEXT_KEYS))
    if text is not None:
        if text.strip():
            yield Item(text.strip(), (_first(value, LABEL_KEYS) or "").strip())
        return
    for key, part in value.items():
        if isinstance(part, (list, dict)):  # {"entities": [...]}
            yield from _items(part, first_key, depth - 1)
        elif isinstance(part, str) and str(key).strip():  # {"北京": "地名"}
            yield Item(str(key).strip(), part.strip())


def _first(value: dict[Any, Any], keys: Iterable[str]) -> str | None:
    """Return the value of the first of `keys` that is there, as text."""
    for key in keys:
        if key in value:
            return as_text(value[key])
    return None


def as_text(value: Any) -> str:
    """Return the text of a JSON value: of a list its first part's; none of null or an object."""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    return "" if value is None or isinstance(value, dict) else str(value)
