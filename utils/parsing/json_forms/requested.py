"""Answers in exactly the form that the prompts ask for; the fast path, and the one that keeps every text unchanged."""

from __future__ import annotations

import json
import re
from typing import Any

from utils.dataset.modes import Mode
from utils.parsing.item import ITEM_KEYS, Item

OBJECT_OF_ITEMS = re.compile(r'\s*\{\s*"items"\s*:\s*\[')


def read_requested_form(answer: str, mode: Mode) -> list[Item] | None:
    """Return the items of an answer that is a JSON array of requested objects, or None for any other answer.

    The array may be part of an object, as services with a JSON schema require it. If the token limit cut the answer
    off, its complete items are returned.
    """
    try:
        return _requested_items(json.loads(answer), mode)
    except json.JSONDecodeError as error:
        is_cut_off = error.msg.startswith("Unterminated") or error.pos >= len(answer)
    except (ValueError, RecursionError):
        return None
    return _items_before_cut(answer, mode) if is_cut_off else None


def _items_before_cut(answer: str, mode: Mode) -> list[Item] | None:
    """Return the items of an array that was cut off; the last one only if both of its strings are complete."""
    complete, end, rest = answer.rpartition('"}')
    closing = "]}" if OBJECT_OF_ITEMS.match(answer) else "}" if answer.lstrip().startswith("{") else "]"
    for closed in (f"{answer}}}{closing}", f"{complete}{end}{closing}" if rest[:1] in ("", ",") else ""):
        try:
            items = _requested_items(json.loads(closed), mode)
        except (ValueError, RecursionError):
            continue
        if items is not None:
            return items
    return None


def _requested_items(rows: Any, mode: Mode) -> list[Item] | None:
    """Return the items of a value in the requested form, or None for a value in another form."""
    rows = _without_object(rows)
    if not isinstance(rows, list) or not all(_is_requested_item(row, mode) for row in rows):
        return None
    return [Item(*(part.strip() for part in row.values())) for row in rows]


def _without_object(value: Any) -> Any:
    """Return the items of `{"items": […]}` or `{"w1": {…}, "w2": {…}}`, the forms of `utils/llm/item_form.py`."""
    if not isinstance(value, dict):
        return value
    if tuple(value) == ("items",):
        return value["items"]
    are_numbered = all(key == f"w{number}" for number, key in enumerate(value, 1))
    return list(value.values()) if value and are_numbered else value


def _is_requested_item(row: Any, mode: Mode) -> bool:
    """Return whether a value is an object with the two requested keys, in order, and two non-empty strings."""
    if not isinstance(row, dict) or tuple(row) != ITEM_KEYS[mode]:
        return False
    return all(isinstance(part, str) and part.strip() for part in row.values())
