"""Translate the project's grammars, which are GBNF, into the notations of the engines that run them."""

from __future__ import annotations

import re

# A label that is left to the model: up to 20 characters without quotes, control characters or most punctuation.
_OUTSIDE = r'"\\\x00-\x1f,;:!?(){}<>|，。、：；！？（）「」\[\]'
FREE_LABEL = rf"[^ {_OUTSIDE}] [^{_OUTSIDE}]{{0,19}}"
_FREE_LABEL_IN_LARK = rf"/[^ {_OUTSIDE}][^{_OUTSIDE}]{{0,19}}/"


def as_lark(grammar: str) -> str:
    """Return a GBNF grammar of this project in Lark's notation, as llguidance reads it."""
    named = re.sub(r"(?m)^(\w+) ::=", lambda rule: "start:" if rule[1] == "root" else f"{rule[1]}:", grammar)
    return named.replace(FREE_LABEL, _FREE_LABEL_IN_LARK)


def as_llguidance(grammar: str) -> str:
    """Return a GBNF grammar of this project as engines with llguidance inside (llama.cpp, vLLM) take it.

    They would tokenise what a grammar forces with their control tokens, so that a sentence's `<|im_start|>` became a
    real one, which no answer shows; so nothing is forced there.
    """
    return f'%llguidance {{"no_forcing": true}}\n{as_lark(grammar)}'
