"""An LLM's answer as items: what was marked, and with which label."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from utils.dataset.modes import Mode
from utils.parsing.item import ITEM_KEYS, Item, Reading, orient
from utils.parsing.keys import is_wrapper
from utils.parsing.lines import read_lines
from utils.parsing.salvage import Found, salvage
from utils.parsing.thinking import without_thoughts
from utils.parsing.values import as_text, is_structured, read_value, says_nothing

__all__ = ["ITEM_KEYS", "Item", "as_text", "parse_items", "read_answer"]

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\x00"))
_FULL_WIDTH = str.maketrans("｛｝［］＂＇", "{}[]\"'")
_ESCAPED_JSON = re.compile(r'[\[{]\s{0,20}\\"')
_CORNER_KEY = re.compile(r"「([^「」\"\n]{1,60})」(?=\s{0,4}[:：])")
_BROKEN_JSON = re.compile(r"""[\[{]\s{0,20}[{\["'“]""")
_QUOTED_PAIR = re.compile(r"""["'“][^"'“”\n]{1,60}["'”]\s{0,4}[:：]\s{0,4}["'“][^"'“”\n]{1,60}["'”]""")
_CORNERS = str.maketrans("「」『』", '""""')


def parse_items(answer: str, mode: Mode) -> list[Item]:
    """Return the items of an answer; none where it cannot be read. Never raises, whatever the answer holds."""
    return read_answer(answer, mode) or []


def read_answer(answer: str, mode: Mode, sentence: str | None = None) -> list[Item] | None:
    """Return the items of an answer, or None where it holds nothing that could be read.

    An answer that says clearly that there is nothing (`[]`) is an empty list. Both modes are read alike: `mode`
    only says which of an item's keys is looked at first. The sentence that was asked about, where it is known,
    tells which part of `{"北京": "地名"}` is the label.
    """
    if (asked := _as_asked(answer, mode)) is not None:
        return asked
    text = _final_text(answer)
    found = list(salvage(_plain_json(text)))
    readings = _joined(found, mode)
    nothing = not readings and any(one.valid and says_nothing(one.value) for one in found)
    if not nothing and not _BROKEN_JSON.search(text) and not any(is_structured(one.value) for one in found):
        readings = read_lines(text) or readings
    items = [Item(reading.text, reading.label) for reading in orient(readings, sentence, mode)]
    return items if items or nothing else None


def _as_asked(answer: str, mode: Mode) -> list[Item] | None:
    """Return the items of an answer that is just what was asked for, whatever their texts look like; else None.

    Of one that its budget cut off, they are those that are whole.
    """
    try:
        return _items(json.loads(answer), mode)
    except json.JSONDecodeError as error:
        is_cut_off = error.msg.startswith("Unterminated") or error.pos >= len(answer)
    except (ValueError, RecursionError):
        return None
    return _before_the_cut(answer, mode) if is_cut_off else None


def _before_the_cut(answer: str, mode: Mode) -> list[Item] | None:
    """Return the items of an answer that is cut off: with the last one where both of its strings are whole."""
    whole, end, rest = answer.rpartition('"}')
    for ended in (f"{answer}}}]", f"{whole}{end}]" if rest[:1] in ("", ",") else ""):
        try:
            items = _items(json.loads(ended), mode)
        except (ValueError, RecursionError):
            continue
        if items is not None:
            return items
    return None


def _items(rows: Any, mode: Mode) -> list[Item] | None:
    """Return the items of a value in the form that prompts ask for; None where it has another."""
    if not isinstance(rows, list) or not all(_is_asked(row, mode) for row in rows):
        return None
    return [Item(*(part.strip() for part in row.values())) for row in rows]


def _is_asked(row: Any, mode: Mode) -> bool:
    """Tell whether a value is an item in the form that prompts ask for."""
    if not isinstance(row, dict) or tuple(row) != ITEM_KEYS[mode]:
        return False
    return all(isinstance(part, str) and part.strip() for part in row.values())


def _final_text(answer: str) -> str:
    """Return an answer without thoughts and invisible characters."""
    return without_thoughts(answer.translate(_INVISIBLE))


def _plain_json(text: str) -> str:
    """Return a text with the marks that stand for JSON's own replaced by them."""
    if "&quot;" in text:
        text = html.unescape(text)
    if _ESCAPED_JSON.search(text):
        text = text.replace('\\"', '"')
    if "{" not in text and "[" not in text:
        text = text.translate(_FULL_WIDTH)
    headless = _QUOTED_PAIR.search(text)
    if headless and not re.search(r"[\[{(]", text[: headless.start()]):
        text = "{" + text[headless.start() :]
    return text.translate(_CORNERS) if _CORNER_KEY.search(text) else text


def _joined(found: list[Found], mode: Mode) -> list[Reading]:
    """Return the readings of all values; an array that only says again what was said is left out.

    Texts without a label count only where nothing has one: `["他"]` stands in what leads to an answer.
    """
    kept: list[Reading] = []
    seen: set[Any] = set()
    for group in _groups(found, mode):
        parts = set(group) if mode == "entity" else {tuple(group)}
        if not parts <= seen:
            kept += group
        seen |= parts
    return [reading for reading in kept if reading.kind != "bare"] or kept


def _groups(found: list[Found], mode: Mode) -> list[list[Reading]]:
    """Return the readings of the values, those together that only brackets, commas and names stand between."""
    groups: list[list[Reading]] = []
    for one in found:
        if one.begins_group or not groups:
            groups.append([])
        groups[-1] += read_value(one.value, mode, "" if is_wrapper(one.name) else one.name)
    return [group for group in groups if group]
