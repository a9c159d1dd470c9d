"""Lists of texts after their label: `PER: ["Ann Lee", "Bob"]`, a label and its texts a line."""

from __future__ import annotations

import json
import re
from itertools import chain

from utils.parsing.keys import introduces
from utils.parsing.nothing import states_nothing
from utils.parsing.text_forms.decoration import is_noise, split_list, without_decoration

MAX_LABEL = 40  # characters
MAX_LABEL_WORDS = 4

# A label, a separator and an array, which may begin on the next line or in a code fence.
_LABEL_LIST = re.compile(
    r"(?:^|[;；\]]|,\s)\s{0,20}([^\n:：=\[\]{}(]{1,60}?)\s{0,4}(?:[:：]\*{0,2}|=>?|->|→)\s{0,20}(?:`{3}\w{0,10}\s{1,4})?\[",
    re.MULTILINE,
)
_HEADING_LIST = re.compile(
    r"^\s{0,3}(?:#{1,6}\s+|(?=\*\*))([^\n:：\[\]{}]{1,60})\n\s{0,20}(?:`{3}\w{0,10}\s{1,4})?\[", re.MULTILINE
)
_ARRAY = re.compile(r"\[[^\[\]{}]*\]")
_NO_LABEL = re.compile(r"[，。！？；,!?;]|\.(?:\s|$)")
_QUOTES = "\"'“”‘’「」【】[]<>《》 "
_OPENING = tuple("[(（【{")
_BRACKETS = ("[]", "()", "（）", "【】", "{}")


def is_label(words: str) -> bool:
    """Return whether words before a list may be the label of its texts: few, and no introduction or statement."""
    words = without_decoration(words).strip(_QUOTES)
    if not words or len(words) > MAX_LABEL or len(words.split()) > MAX_LABEL_WORDS or _NO_LABEL.search(words):
        return False
    return not introduces(words) and not states_nothing(words)


def has_label_lists(text: str) -> bool:
    """Return whether an array in a text follows its label: `LOC: []`, or `### LOC` and `[]`."""
    found = chain(_LABEL_LIST.finditer(text), _HEADING_LIST.finditer(text))
    return any(is_label(match[1]) for match in found)


def with_arrays_on_one_line(text: str) -> str:
    """Return a text with each array of strings on one line, after its label, and without code fences."""
    lines: list[list[str]] = []  # the parts of each line
    for line in _ARRAY.sub(lambda match: " ".join(match[0].split()), text).splitlines():
        if line.lstrip().startswith("[") and lines and (before := lines[-1][-1].rstrip()).endswith((":", "：", "=")):
            lines[-1][-1] = before
            lines[-1].append(line.strip())
        elif not is_noise(line[:MAX_LABEL]):
            lines.append([line])
    return "\n".join(map(" ".join, lines))


def array_texts(text: str) -> list[str] | None:
    """Return the strings of `["a", "b"]`, `[a, b]` or `('a', 'b')`, or None if a text is not such an array."""
    text = text.strip()
    if text[:1] not in _OPENING:
        return None
    text = text.rstrip(" .。;；,，")
    if text[0] + text[-1] not in _BRACKETS or any(bracket in text[1:-1] for bracket in "[]{}"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return split_list(text[1:-1])
    return [str(part).strip() for part in value if str(part).strip()] if isinstance(value, list) else None
