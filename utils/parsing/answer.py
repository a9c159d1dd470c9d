"""One answer as items: picks the reader for the answer's form and merges what it finds."""

from __future__ import annotations

import html
import re
from typing import Any

from utils.dataset.modes import Mode
from utils.parsing.bio import join_chunks
from utils.parsing.context import Context, SentenceText
from utils.parsing.item import Item, ItemCandidate, orient
from utils.parsing.json_forms.backslashes import escape_unknown
from utils.parsing.json_forms.requested import read_requested_form
from utils.parsing.json_forms.search import FoundValue, find_values
from utils.parsing.json_forms.values import is_structured, read_value, says_nothing
from utils.parsing.keys import is_wrapper
from utils.parsing.nothing import is_none, is_none_label, is_none_text, states_nothing
from utils.parsing.text_forms.decoration import split_texts
from utils.parsing.text_forms.label_lists import has_label_lists, with_arrays_on_one_line
from utils.parsing.text_forms.lines import read_lines, say_nothing
from utils.parsing.thinking import without_thoughts

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u2060\x00"))
_FULL_WIDTH = str.maketrans("｛｝［］＂＇", "{}[]\"'")
_ESCAPED_JSON = re.compile(r'[\[{]\s{0,20}\\"')
_CORNER_KEY = re.compile(r"「([^「」\"\n]{1,60})」(?=\s{0,4}[:：])")
_QUOTED_JSON = re.compile(r"""[\[{]\s{0,20}[{"'“]""")
_QUOTED_PAIR = re.compile(r"""["'“][^"'“”\n]{1,60}["'”]\s{0,4}[:：]\s{0,4}["'“][^"'“”\n]{1,60}["'”]""")
_CORNERS = str.maketrans("「」『』", '""""')


def parse_items(answer: str, mode: Mode) -> list[Item]:
    """Return the items of an answer, an empty list for an unreadable one. Never raises."""
    return read_answer(answer, mode) or []


def read_answer(answer: str, mode: Mode, sentence: str | None = None) -> list[Item] | None:
    """Return the items of an answer, or None if nothing in it can be read.

    An answer that clearly says that there is nothing (`[]`, `没有实体`) is an empty list. Both modes are read alike:
    `mode` only decides which key of an item is looked up first. The sentence, where it is known, decides which part
    of `{"北京": "地名"}` is the label.
    """
    context = Context(mode, SentenceText(sentence) if sentence is not None else None)
    requested = read_requested_form(escape_unknown(answer, context), mode)
    if requested is not None:
        candidates = [ItemCandidate(text, item.label) for item in requested for text in _texts(item.text, context)]
        nothing = not requested
    else:
        candidates, nothing = _read(_final_text(answer), context)
    real = _without_none(candidates, context)
    items = [Item(candidate.text, candidate.label) for candidate in join_chunks(real, context)]
    return items if items or nothing or len(real) < len(candidates) else None


def _read(text: str, context: Context) -> tuple[list[ItemCandidate], bool]:
    """Return the candidates of an answer, and whether it says that there is nothing."""
    if is_none(text):
        return [], True
    found = list(find_values(escape_unknown(_standard_json(text), context)))
    by_label = has_label_lists(text)
    if not by_label:
        found = _with_columns_paired(found, context)
    values = _merge_values(found, context)
    nothing = any((one.valid or one.value) and says_nothing(one.value) for one in found)
    if any(is_structured(one.value) for one in found):
        return orient(values, context), nothing
    if by_label:
        lines = read_lines(with_arrays_on_one_line(text), context)
        return orient(lines or values, context), nothing
    if nothing and not values:
        return [], True
    if not _QUOTED_JSON.search(text):
        values = read_lines(text, context) or values
    return orient(values, context), not found and (states_nothing(text) or say_nothing(text))


def _texts(text: str, context: Context) -> list[str]:
    return split_texts(text, context, named=True) if context.lacks(text) else [text]


def _without_none(candidates: list[ItemCandidate], context: Context) -> list[ItemCandidate]:
    """Return the candidates without those that say that there is no entity, or no text with their label.

    Without a sentence, the order of a pair is a guess: `无` may be its text. So all pairs are kept if one is real.
    """
    none_labels = {label for label in {one.label for one in candidates} if is_none_label(label, context)}
    is_real = [one.label not in none_labels and not is_none_text(one.text, context) for one in candidates]
    keep_pairs = context.sentence is None and any(is_real)
    return [one for one, real in zip(candidates, is_real, strict=True) if real or (keep_pairs and one.kind == "pair")]


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


def _with_columns_paired(found: list[FoundValue], context: Context) -> list[FoundValue]:
    """Return two arrays of equal length, one with texts of the sentence and one with labels, as one array of pairs."""
    if len(found) != 2 or not all(isinstance(text, str) for one in found for text in one.value):
        return found
    (texts, labels) = sorted((one.value for one in found), key=lambda value: -sum(map(context.contains, value)))
    if not 1 < len(texts) == len(labels) or not all(map(context.contains, texts)) or any(map(context.contains, labels)):
        return found
    pairs = [list(pair) for pair in zip(texts, labels, strict=True)]
    return [FoundValue(pairs, "", valid=True, begins_group=True)]


def _merge_values(found: list[FoundValue], context: Context) -> list[ItemCandidate]:
    """Return the candidates of all values, without arrays that only repeat earlier ones.

    Texts without a label count only where no candidate has a label: `["他"]` may belong to the model's reasoning.
    """
    kept: list[ItemCandidate] = []
    seen: set[Any] = set()
    for group in _groups(found, context):
        parts = set(group) if context.mode == "entity" else {tuple(group)}
        if not parts <= seen:
            kept += group
        seen |= parts
    return [candidate for candidate in kept if candidate.kind != "bare"] or kept


def _groups(found: list[FoundValue], context: Context) -> list[list[ItemCandidate]]:
    """Return the candidates of the values, a list for each run of values without other words between them."""
    groups: list[list[ItemCandidate]] = []
    for one in found:
        if one.begins_group or not groups:
            groups.append([])
        groups[-1] += read_value(one.value, context, "" if is_wrapper(one.name) else one.name)
    return [group for group in groups if group]
