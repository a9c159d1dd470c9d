"""The grammars of this project are GBNF; here they are translated for the engines that run them.

A grammar of new sentences intersects regular expressions, which GBNF cannot do. It is in Lark's notation, and begins
with LARK. Only PyPI's llguidance runs it, with raised limits: the engines that contain llguidance cannot raise them.
"""

from __future__ import annotations

import re

# A label that the model chooses freely: up to 20 characters, without quotes, control characters, and most punctuation.
_OUTSIDE = r'"\\\x00-\x1f,;:!?(){}<>|，。、：；！？（）「」\[\]'
FREE_LABEL = rf"[^ {_OUTSIDE}] [^{_OUTSIDE}]{{0,19}}"
_FREE_LABEL_IN_LARK = rf"/[^ {_OUTSIDE}][^{_OUTSIDE}]{{0,19}}/"


LARK = "// Lark\n"  # a comment


def as_lark(grammar: str) -> str:
    """Return a grammar of this project in Lark's notation, which llguidance reads."""
    if grammar.startswith(LARK):
        return grammar
    named = re.sub(r"(?m)^(\w+) ::=", lambda rule: "start:" if rule[1] == "root" else f"{rule[1]}:", grammar)
    return named.replace(FREE_LABEL, _FREE_LABEL_IN_LARK)


def as_llguidance(grammar: str) -> str:
    """Return a GBNF grammar of this project for engines that contain llguidance (llama.cpp, vLLM).

    Forced tokens are turned off. These engines would tokenise a forced `<|im_start|>` of a sentence as the control
    token, which is not shown in answers.
    """
    return f'%llguidance {{"no_forcing": true}}\n{as_lark(grammar)}'
