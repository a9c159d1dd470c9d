"""JSON values as candidates: arrays of objects, one object, `{text: label}` and `{label: [texts]}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate, in_one_order
from utils.parsing.json_forms.part_keys import is_repeated_sentence, named_parts
from utils.parsing.json_forms.rows import is_row, read_rows, read_strings, read_text
from utils.parsing.json_forms.unknown_keys import groups, read_columns
from utils.parsing.keys import LABEL_KEYS, is_wrapper, plain_key, role_of
from utils.parsing.nothing import states_nothing
from utils.parsing.text_forms.decoration import split_texts

MAX_DEPTH = 20  # nested arrays and objects; deeper ones are not read


def read_value(value: Any, context: Context, label: str = "", depth: int = MAX_DEPTH) -> Iterator[ItemCandidate]:
    """Yield the candidates of a value; `label` is the key that holds it (`{"地名": [...]}`), "" for none."""
    if depth == 0:
        return
    if isinstance(value, dict):
        if not says_nothing(value) or any(map(context.contains, map(str, value))):
            yield from _read_object(value, context, label, depth)
    elif isinstance(value, list):
        yield from _read_array(value, context, label, depth)
    elif isinstance(value, str) and value.strip():
        yield from read_text(value.strip(), label, context)


def says_nothing(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Return whether a value is an answer without items: `[]`, `{"entities": []}`, `{"人名": null}`, `["None"]`."""
    if isinstance(value, (dict, list)) and depth:
        parts = _without_label(value) if isinstance(value, dict) else value
        return all(says_nothing(part, depth - 1) for part in parts)
    return value is None or value == "" or (isinstance(value, str) and states_nothing(value))


def _without_label(value: Mapping[Any, Any]) -> list[Any]:
    """Return the parts of an object; of `{"type": "LOC", "entities": []}`, only the empty ones."""
    parts = [part for key, part in value.items() if plain_key(key) not in LABEL_KEYS]
    return parts if parts and all(part is None or part == [] for part in parts) else list(value.values())


def is_structured(value: Any) -> bool:
    """Return whether a value is more than an array of strings and numbers."""
    return isinstance(value, dict) or any(isinstance(part, (dict, list)) for part in value)


def as_text(value: Any) -> str:
    """Return the text of a JSON value: the first one of a list, "" for null or an object."""
    if isinstance(value, str):
        return value
    while isinstance(value, list):
        value = value[0] if value else None
    if value is None or isinstance(value, dict):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_array(value: list[Any], context: Context, label: str, depth: int) -> Iterator[ItemCandidate]:
    if not is_structured(value):
        yield from _read_flat(value, context, label)
        return
    for group in groups(value):
        rows = [part for part in group if is_row(part)]
        columns = None
        if isinstance(group[0], dict) and not _is_named(group[0], context) and not label:
            columns = read_columns(group, context)
        if columns is not None:
            yield from columns
        elif rows and len(rows) == len(group):
            yield from read_rows(rows, context, label)
        else:
            for part in group:
                yield from read_value(part, context, label, depth - 1)


def _read_flat(value: list[Any], context: Context, label: str) -> Iterator[ItemCandidate]:
    strings = [part.strip() for part in value if isinstance(part, str) and part.strip()]
    if label:
        texts = strings if len(strings) == len(value) or not strings else strings[:1]  # {"PER": [["Ann", 0, 3]]}
        yield from (candidate for text in texts for candidate in read_text(text, label, context))
    elif strings:
        yield from read_strings(strings, context)


def _read_object(value: Mapping[Any, Any], context: Context, label: str, depth: int) -> Iterator[ItemCandidate]:
    text_key, label_key = named_parts(value, context)
    inner = [
        key
        for key, part in value.items()
        if key not in (text_key, label_key) and _holds_items(part) and not _is_remark(key, part)
    ]
    own = as_text(value[label_key]).strip() if label_key is not None else label
    if text_key is not None and (label_key is not None or not inner):
        yield from _read_item(value[text_key], value.get(label_key, label), own, context, depth)
    elif label_key is not None and label and not inner:  # {"北京": {"type": "地名"}}
        yield ItemCandidate(label, own)
    elif label_key is not None and own and (lists := [part for part in value.values() if isinstance(part, list)]):
        for part in lists:  # {"type": "地名", "found": ["北京", "上海"]}
            yield from read_value(part, context, own, depth - 1)
    elif label and not any(isinstance(part, (str, dict)) for part in value.values()):  # {"地名": {"北京": [[0, 2]]}}
        yield from (ItemCandidate(str(key).strip(), label) for key in value)
    else:
        for key in inner:
            yield from read_value(value[key], context, _inner_label(key), depth - 1)
        if text_key is None:
            yield from in_one_order(list(_read_mapping(value, frozenset(inner), context)))


def _read_item(texts: Any, labels: Any, label: str, context: Context, depth: int) -> Iterator[ItemCandidate]:
    """Yield the candidates of an object with a text and a label, each of which may be a list."""
    if isinstance(texts, list) and any(isinstance(part, (dict, list)) for part in texts):
        yield from read_value(texts, context, label, depth - 1)
    elif isinstance(texts, list) and isinstance(labels, list) and len(texts) == len(labels) > 1:
        pairs = zip(map(as_text, texts), map(as_text, labels), strict=True)
        yield from (ItemCandidate(text.strip(), one.strip()) for text, one in pairs if text.strip())
    else:
        yield from (ItemCandidate(text, label) for text in _texts(texts, context))


def _texts(value: Any, context: Context) -> Iterator[str]:
    """Yield the texts of an item: each one of a list, or one text if the list holds single characters."""
    if isinstance(value, list) and len(value) > 1:
        parts = [as_text(part) for part in value]
        joined = "".join(parts)
        found = [joined] if len(joined) == len(parts) and not context.lacks(joined) else parts
    else:
        found = split_texts(as_text(value), context, named=True)
    yield from (text.strip() for text in found if text.strip())


def _read_mapping(value: Mapping[Any, Any], skipped: frozenset[Any], context: Context) -> Iterator[ItemCandidate]:
    """Yield the candidates of `{text: label}` and of `{label: [texts]}`, without those of the keys in `skipped`."""
    has_lists = any(isinstance(part, list) for part in value.values())
    for key, part in value.items():
        name, text = str(key).strip(), as_text(part).strip()
        if key in skipped or not name or isinstance(part, dict) or is_repeated_sentence(key, part, context):
            continue
        if part is None and (has_lists or context.lacks(name)):
            continue
        if isinstance(part, list):
            yield from _read_flat(part, context, _inner_label(key))
        elif len(value) == 1 and is_wrapper(name) and isinstance(part, str):
            yield from read_strings(split_texts(text, context, named=False), context)
        elif not (context.lacks(text) and (skipped or role_of(name) == "meta")):
            texts = split_texts(text, context, named=False)
            listed = [ItemCandidate(one, name, kind="listed") for one in texts]
            yield from listed if len(texts) > 1 else [ItemCandidate(name, text, kind="pair")]


def _is_remark(key: Any, part: Any) -> bool:
    """Return whether a part of an object describes the item: `"PERSON_attributes": {"role": "nurse"}`."""
    return isinstance(part, dict) and role_of(str(key)) == "meta"


def _is_named(value: Mapping[Any, Any], context: Context) -> bool:
    """Return whether the names of an object's keys say which part is the text or the label, or it holds items."""
    return named_parts(value, context) != (None, None) or any(map(_holds_items, value.values()))


def _inner_label(key: Any) -> str:
    name = str(key).strip()
    return "" if is_wrapper(name) else name


def _holds_items(value: Any) -> bool:
    """Return whether a part of an object may contain items."""
    return isinstance(value, (dict, list)) and is_structured(value)
