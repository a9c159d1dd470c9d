"""Backslashes that are text: LaTeX, paths and emoticons, which models write into JSON without escaping them."""

from __future__ import annotations

import re

from utils.parsing.context import Context

_ESCAPE = re.compile(r"""(\\(?:["\\/']|u[0-9A-Fa-f]{4}|[bfnrt]\w{0,20}))|\\""")


def escape_unknown(text: str, context: Context | None = None) -> str:
    r"""Return a JSON text in which each backslash that begins no escape is escaped: `\alpha` becomes `\\alpha`.

    A backslash that may begin an escape (`\nu`, `C:\temp`) is escaped if the sentence contains it, too.
    """
    if "\\" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        escape = match[1] or ""
        is_text = escape[1:2] in "bfnrt" and context is not None and context.contains(escape)
        return f"\\{match[0]}" if is_text or not escape else escape

    return _ESCAPE.sub(replace, text)
