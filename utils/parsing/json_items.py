"""JSON values as candidates: arrays of objects, one object, `{text: label}`, `{label: [texts]}`, `[text, label]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from utils.dataset.modes import Mode
from utils.parsing.item import NOTHING, ItemCandidate
from utils.parsing.keys import KNOWN, LABEL_KEYS, TEXT_KEYS, is_wrapper, plain_key
from utils.parsing.lines import read_line

MAX_DEPTH = 20  # nested arrays and objects; deeper ones are not read


def read_value(value: Any, mode: Mode, label: str = "", depth: int = MAX_DEPTH) -> Iterator[ItemCandidate]:
    """Yield the candidates of a value; `label` is the key that holds it (`{"地名": [...]}`), "" for none."""
    if depth == 0:
        return
    if isinstance(value, dict):
        yield from _read_object(value, mode, label, depth)
    elif isinstance(value, list):
        yield from _read_array(value, mode, label, depth)
    elif isinstance(value, str) and value.strip():
        yield from _read_string(value.strip(), label)


def says_nothing(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Return whether a value is an answer without items: `[]`, `{"entities": []}`, `{"人名": null}`."""
    if isinstance(value, (dict, list)) and depth:
        return all(says_nothing(part, depth - 1) for part in (value.values() if isinstance(value, dict) else value))
    return value is None


def is_structured(value: Any) -> bool:
    """Return whether a value is more than an array of strings and numbers."""
    return isinstance(value, dict) or any(isinstance(part, (dict, list)) for part in value)


def as_text(value: Any) -> str:
    """Return the text of a JSON value: the first one of a list, "" for null or an object."""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    if value is None or isinstance(value, dict):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_object(value: Mapping[Any, Any], mode: Mode, label: str, depth: int) -> Iterator[ItemCandidate]:
    keys = {plain_key(key): key for key in reversed(value)}
    text_key, label_key = _named_parts(value, keys, mode)
    inner = [key for key, part in value.items() if _holds_items(part) and key not in (text_key, label_key)]
    if text_key is not None and (label_key is not None or not inner):
        own = as_text(value[label_key]).strip() if label_key is not None else label
        yield from (ItemCandidate(text, own) for text in _texts(value[text_key]))
    elif label_key is not None and label and not inner:  # {"北京": {"type": "地名"}}
        yield ItemCandidate(label, as_text(value[label_key]).strip())
    elif inner:
        for key in inner:
            yield from read_value(value[key], mode, _inner_label(key), depth - 1)
        if text_key is None:
            yield from _read_mapping({key: part for key, part in value.items() if isinstance(part, list)}, inner)
    else:
        yield from _read_mapping(value, ())


def _named_parts(value: Mapping[Any, Any], keys: Mapping[str, Any], mode: Mode) -> tuple[Any, Any]:
    """Return the key of an object's text and the key of its label, None for a missing one."""
    first = "entity" if mode == "entity" else "word"
    text_keys = [keys[key] for key in (first, *TEXT_KEYS) if key in keys]
    label_keys = [keys[key] for key in LABEL_KEYS if key in keys]
    if not label_keys and len(set(text_keys)) > 1 and "entity" in keys:  # {"entity": "B-LOC", "word": "北京"}
        label_keys = [keys["entity"]]
        text_keys = [key for key in text_keys if key != keys["entity"]]
    others = [key for key, part in value.items() if isinstance(part, str) and plain_key(key) not in KNOWN]
    if not label_keys and len(others) > 1:  # {"My": "PRON", "name": "NOUN", "is": "AUX"}
        return None, None
    if text_keys and not label_keys and others:  # {"word": "北京", "is a": "地名"}
        label_keys = others
    if label_keys and not text_keys and len(label_keys) < len(value):  # {"thing": "北京", "type": "地名"}
        text_keys = others[:1]
    return next(iter(text_keys), None), next(iter(label_keys), None)


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of an item: each one of a list, or one text if the list holds single characters."""
    if isinstance(value, list) and len(value) > 1:
        parts = [as_text(part) for part in value]
        found = ["".join(parts)] if all(len(part) == 1 for part in parts) else parts
    else:
        found = [as_text(value)]
    yield from (text.strip() for text in found if text.strip())


def _read_mapping(value: Mapping[Any, Any], skipped: Iterable[Any]) -> Iterator[ItemCandidate]:
    """Yield the candidates of `{text: label}` and of `{label: [texts]}`, without those of the keys in `skipped`."""
    for key, part in value.items():
        name = str(key).strip()
        if key in skipped or not name:
            continue
        if isinstance(part, list):
            for text in part:
                yield from _read_string(as_text(text).strip(), _inner_label(key))
        elif len(value) == 1 and is_wrapper(name) and isinstance(part, str):
            yield from _read_string(part.strip(), "")
        else:
            yield ItemCandidate(name, as_text(part).strip(), kind="pair")


def _read_array(value: list[Any], mode: Mode, label: str, depth: int) -> Iterator[ItemCandidate]:
    strings = [part.strip() for part in value if isinstance(part, str)]
    if is_structured(value):
        for part in value:
            yield from read_value(part, mode, label, depth - 1)
    elif label:
        yield from (candidate for text in strings for candidate in _read_string(text, label))
    elif (
        len(strings) == 2 and strings[0] and not any(map(read_line, strings))
    ):  # ["北京", "地名"], ["北京", "地名", 0.9]
        yield ItemCandidate(strings[0], strings[1], kind="pair")
    else:
        yield from (candidate for text in strings for candidate in _read_string(text, ""))


def _read_string(text: str, label: str) -> Iterator[ItemCandidate]:
    """Yield the candidates of a string in an array: a text, or a text with its label (`北京/ns`)."""
    if label:
        if text and text.casefold() not in NOTHING:
            yield ItemCandidate(text, label, kind="pair")
    else:
        yield from read_line(text) or ([ItemCandidate(text, "", kind="bare")] if text else [])


def _inner_label(key: Any) -> str:
    name = str(key).strip()
    return "" if is_wrapper(name) else name


def _holds_items(value: Any) -> bool:
    """Return whether a part of an object may contain items."""
    return isinstance(value, (dict, list)) and is_structured(value)
