"""Which key of an object holds the text of an item, and which one its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from utils.parsing.context import Context
from utils.parsing.keys import KNOWN, LABEL_KEYS, TEXT_KEYS, plain_key, role_of, singular

_SENTENCE_KEYS = frozenset(("text", "sentence", "input", "content", "source", "文本", "原文", "句子", "输入", "内容"))


def named_parts(value: Mapping[Any, Any], context: Context) -> tuple[Any, Any]:
    """Return the key of an object's text and the key of its label, None for a missing one."""
    if len(value) > 2 or any(isinstance(part, (dict, list)) for part in value.values()):
        value = {key: part for key, part in value.items() if not is_repeated_sentence(key, part, context)}
    keys = _plain_keys(value)
    first = "entity" if context.mode == "entity" else "word"
    text_keys = [keys[key] for key in (first, *TEXT_KEYS) if key in keys]
    label_keys = [keys[key] for key in LABEL_KEYS if key in keys]
    if not label_keys and len(set(text_keys)) > 1 and "entity" in keys:  # {"entity": "B-LOC", "word": "北京"}
        label_keys = [keys["entity"]]
        text_keys = [key for key in text_keys if key != keys["entity"]]
    if not label_keys and len(text_keys) > 1:  # {"name": "LOC", "value": "Oslo"}
        label_keys = [key for key in text_keys if _names_anything(key) and context.lacks(_as_string(value[key]))]
        text_keys = [key for key in text_keys if key not in label_keys]
    others = [key for key, part in value.items() if isinstance(part, str) and plain_key(key) not in KNOWN]
    if len(value) > 1 and not (label_keys and text_keys):
        longer = _by_role(value, others, text_keys, label_keys)
        if longer is not None:
            return longer
    if not label_keys and len(others) > 1:  # {"My": "PRON", "name": "NOUN", "is": "AUX"}
        return None, None
    others = [key for key in others if role_of(str(key)) != "meta"]
    if text_keys and not label_keys and others:  # {"word": "北京", "is a": "地名"}
        label_keys = others
    if label_keys and not text_keys and len(label_keys) < len(value):  # {"thing": "北京", "type": "地名"}
        text_keys = [key for key in others if context.contains(value[key])] or others[:1]
    return next(iter(text_keys), None), next(iter(label_keys), None)


def is_repeated_sentence(key: Any, part: Any, context: Context) -> bool:
    """Return whether a part of an object is the sentence, which some models repeat: `{"text": "…", "entities": …}`."""
    if not isinstance(part, str) or not context.is_sentence(part):
        return False
    return plain_key(key) in _SENTENCE_KEYS


def _names_anything(key: Any) -> bool:
    """Return whether a key may name a label as well as a text."""
    return plain_key(key) in ("name", "value", "content", "名称", "值", "内容")


def _as_string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _plain_keys(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the keys of an object by their plain form; `labels` and `types` also as `label` and `type`."""
    keys = {plain_key(key): key for key in reversed(value)}
    for plain, key in list(keys.items()):
        name = singular(plain)
        if name not in keys and _is_plain_list(value[key]) and len(value) > 1 and name in KNOWN:
            keys[name] = key
    return keys


def _by_role(
    value: Mapping[Any, Any], others: Sequence[Any], text_keys: Sequence[Any], label_keys: Sequence[Any]
) -> tuple[Any, Any] | None:
    """Return the two keys if the words of longer keys name the missing parts (`extraction_text`), else None."""
    unknown = frozenset(others)
    roles = {key: role_of(str(key)) for key in value if key in unknown or isinstance(value[key], list)}
    if list(roles.values()).count(None) > 1:
        return None
    texts = text_keys or [key for key, role in roles.items() if role == "text"]
    labels = label_keys or [key for key, role in roles.items() if role == "label"]
    return (texts[0], labels[0]) if texts and labels and texts[0] != labels[0] else None


def _is_plain_list(value: Any) -> bool:
    """Return whether a value is a string, or a list of strings."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(part, str) for part in value))
