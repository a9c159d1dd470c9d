"""One answer as items: picks the reader for the answer's form and merges what it finds."""

from __future__ import annotations

import html
import re
from typing import Any

from utils.dataset.modes import Mode
from utils.parsing.item import Item, ItemCandidate, orient
from utils.parsing.json_items import is_structured, read_value, says_nothing
from utils.parsing.json_search import FoundValue, find_values
from utils.parsing.keys import is_wrapper
from utils.parsing.lines import read_lines
from utils.parsing.requested_form import read_requested_form
from utils.parsing.thinking import without_thoughts

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\x00"))
_FULL_WIDTH = str.maketrans("｛｝［］＂＇", "{}[]\"'")
_ESCAPED_JSON = re.compile(r'[\[{]\s{0,20}\\"')
_CORNER_KEY = re.compile(r"「([^「」\"\n]{1,60})」(?=\s{0,4}[:：])")
_BROKEN_JSON = re.compile(r"""[\[{]\s{0,20}[{\["'“]""")
_QUOTED_PAIR = re.compile(r"""["'“][^"'“”\n]{1,60}["'”]\s{0,4}[:：]\s{0,4}["'“][^"'“”\n]{1,60}["'”]""")
_CORNERS = str.maketrans("「」『』", '""""')


def parse_items(answer: str, mode: Mode) -> list[Item]:
    """Return the items of an answer, an empty list for an unreadable one. Never raises."""
    return read_answer(answer, mode) or []


def read_answer(answer: str, mode: Mode, sentence: str | None = None) -> list[Item] | None:
    """Return the items of an answer, or None if nothing in it can be read.

    An answer that clearly says that there is nothing (`[]`) is an empty list. Both modes are read alike: `mode` only
    decides which key of an item is looked up first. The sentence, where it is known, decides which part of
    `{"北京": "地名"}` is the label.
    """
    if (requested := read_requested_form(answer, mode)) is not None:
        return requested
    text = _final_text(answer)
    found = list(find_values(_standard_json(text)))
    candidates = _merge_values(found, mode)
    nothing = not candidates and any(one.valid and says_nothing(one.value) for one in found)
    if not nothing and not _BROKEN_JSON.search(text) and not any(is_structured(one.value) for one in found):
        candidates = read_lines(text) or candidates
    items = [Item(candidate.text, candidate.label) for candidate in orient(candidates, sentence, mode)]
    return items if items or nothing else None


def _final_text(answer: str) -> str:
    """Return an answer without thoughts and invisible characters."""
    return without_thoughts(answer.translate(_INVISIBLE))


def _standard_json(text: str) -> str:
    """Return a text with other quotation marks and brackets replaced by those of JSON."""
    if "&quot;" in text:
        text = html.unescape(text)
    if _ESCAPED_JSON.search(text):
        text = text.replace('\\"', '"')
    if "{" not in text and "[" not in text:
        text = text.translate(_FULL_WIDTH)
    without_brace = _QUOTED_PAIR.search(text)
    if without_brace and not re.search(r"[\[{(]", text[: without_brace.start()]):
        text = "{" + text[without_brace.start() :]
    return text.translate(_CORNERS) if _CORNER_KEY.search(text) else text


def _merge_values(found: list[FoundValue], mode: Mode) -> list[ItemCandidate]:
    """Return the candidates of all values, without arrays that only repeat earlier ones.

    Texts without a label count only where no candidate has a label: `["他"]` may belong to the model's reasoning.
    """
    kept: list[ItemCandidate] = []
    seen: set[Any] = set()
    for group in _groups(found, mode):
        parts = set(group) if mode == "entity" else {tuple(group)}
        if not parts <= seen:
            kept += group
        seen |= parts
    return [candidate for candidate in kept if candidate.kind != "bare"] or kept


def _groups(found: list[FoundValue], mode: Mode) -> list[list[ItemCandidate]]:
    """Return the candidates of the values, a list for each run of values without other words between them."""
    groups: list[list[ItemCandidate]] = []
    for one in found:
        if one.begins_group or not groups:
            groups.append([])
        groups[-1] += read_value(one.value, mode, "" if is_wrapper(one.name) else one.name)
    return [group for group in groups if group]
