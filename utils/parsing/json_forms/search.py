"""The JSON in a text, valid or broken, as values; the time grows linearly with the length of the text.

Valid JSON is decoded. Broken JSON is split at its braces and brackets into short pieces, one item each, and every
piece is repaired alone (`broken`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from utils.parsing.json_forms.broken import NAME, BrokenText
from utils.parsing.json_forms.repair import as_object
from utils.parsing.json_forms.tuples import TupleReader

SHORT_TEXT = 1000  # characters; the longest value that is decoded after half of the budget was spent
BUDGET_PER_CHARACTER = 12  # characters that may be decoded in vain for each character of the text
NESTING_COST = 50_000  # characters; the price of a decoding that fails at too many open brackets

_OPEN = re.compile(
    r"""[\[{]|\((?=\s{0,4}["'“‘]|\s{0,4}\w{1,20}\s{0,4}=\s{0,4}["'])|["'“](?=(?:entity|word|name|text|token|实体|词|词语|单词)["'”]\s{0,4}[:：])"""
)
_TUPLE = re.compile(r"""\(\s{0,4}["'“‘]|\[\s{0,4}['“‘]""")
_NAME_BEFORE = re.compile(rf"{NAME}\s{{0,8}}\[?\s{{0,8}}$")
_GAP = re.compile(rf"(?:[\s,，;；、\[\](){{}}]|{NAME})*$")


@dataclass(frozen=True, slots=True)
class FoundValue:
    """A value in a text."""

    value: Any
    name: str  # the key before it, "" for none
    valid: bool  # it was decoded without repair
    begins_group: bool  # other words are between it and the value before it


def find_values(text: str) -> Iterator[FoundValue]:
    """Yield the arrays and objects of a text in order. The parts of a broken one are yielded one by one."""
    return _Scanner(text).values()


class _Scanner:
    """Walks through a text once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.broken = BrokenText(text)
        self.tuples = TupleReader(text)
        self.decoder = json.JSONDecoder(object_pairs_hook=as_object, strict=False)
        self.budget = BUDGET_PER_CHARACTER * len(text) + NESTING_COST
        self.budget_for_short_texts = self.budget // 2

    def values(self) -> Iterator[FoundValue]:
        position = 0
        name, apart = "", False
        while (opening := _OPEN.search(self.text, position)) is not None:
            start = opening.start()
            apart = apart or not _GAP.match(self.text, position, start)
            name = self._name_before(start) or ("" if apart else name)
            value, position, valid = self._value_at(start)
            if isinstance(value, (dict, list)):
                yield FoundValue(value, name, valid, begins_group=apart)
                apart = False

    def _name_before(self, start: int) -> str:
        found = _NAME_BEFORE.search(self.text, max(0, start - 80), start)
        return found[1].strip() if found else ""

    def _value_at(self, start: int) -> tuple[Any, int, bool]:
        """Return the value that begins at `start` (None for no value), where to continue, and whether it is valid."""
        opening = self.text[start]
        decoded = self._decoded(start) if opening in "[{" else None
        if decoded is not None:
            return (*decoded, True)
        tuples = self.tuples.read_tuples(start) if _TUPLE.match(self.text, start) else None
        if tuples is not None:
            return (*tuples, True)
        if opening == "(" and (call := self.tuples.read_call(start)) is not None:
            return (*call, True)
        if opening in "[(":
            return (*self.broken.read_array(start), False)
        # A quotation mark begins an object without its brace.
        value, end = self.broken.read_object(start + (opening == "{"))
        if value is None and _TUPLE.match(self.text, start + 1):  # {('北京', '地名')}
            return None, start + 1, False
        return value, end, False

    def _decoded(self, start: int) -> tuple[Any, int] | None:
        """Return the valid value that begins at `start`, and its end.

        A failed decoding reduces the budget, and with half of it spent only short values are tried. An error costs
        at least a share of the text's length, because the decoder counts the lines before it.
        """
        if self.budget <= 0:
            return None
        whole = self.budget > self.budget_for_short_texts
        text, position = (self.text, start) if whole else (self.text[start : start + SHORT_TEXT], 0)
        try:
            value, end = self.decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            reached = len(text) if error.msg.startswith("Unterminated") else error.pos
            self.budget -= max(reached - position, len(text) // 64 + 1)
        except (ValueError, RecursionError):  # a number of thousands of digits, thousands of open brackets
            self.budget -= NESTING_COST
        else:
            return value, end - position + start
        return None
