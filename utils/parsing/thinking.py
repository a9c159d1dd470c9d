"""The thoughts that a reasoning model writes before its answer, between `<think>` and `</think>` or similar tags."""

from __future__ import annotations

import re

_TAGS = r"think|thinking|thought|reasoning|reflection|scratchpad"
_OPENING_TAG, _CLOSING_TAG = rf"[<\[◁](?:{_TAGS})[>\]▷]", rf"[<\[◁]/(?:{_TAGS})[>\]▷]"
_THOUGHT = re.compile(rf"{_OPENING_TAG}.*?(?:{_CLOSING_TAG}|\Z)", re.DOTALL | re.IGNORECASE)


def without_thoughts(answer: str, *, replacement: str = "") -> str:
    """Return an answer with `replacement` in place of each thought; a thought that is never closed runs to the end.

    Some chat templates end the prompt with the opening tag. Then the answer has only the closing tag, and all text
    before it is dropped, too.

        >>> without_thoughts('<think>Rome is a city.</think>[{"entity": "Rome"}]')
        '[{"entity": "Rome"}]'
        >>> without_thoughts("Rome is a city.</think>[]")
        '[]'
    """
    text = _THOUGHT.sub(replacement, answer)
    return text[max((tag.end() for tag in re.finditer(_CLOSING_TAG, text, re.IGNORECASE)), default=0) :]
