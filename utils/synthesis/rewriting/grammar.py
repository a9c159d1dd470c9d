r"""The grammar of a new sentence that must contain some mentions: an intersection of regular expressions.

For 鳄鱼泪 and 张国荣, and 5 to 40 characters:

    start: TEXT
    TEXT: /[^\x00-\x1f]{5,40}/ & /(?s:.*)鳄鱼泪(?s:.*)/ & /(?s:.*)张国荣(?s:.*)/

So the model writes each mention where it fits. A chain of free text, mention, free text was tried: there, the model
writes a mention in the free text and must then write it again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from utils.dataset.tokens import Tokenisation
from utils.llm.grammar_dialects import LARK
from utils.synthesis.writing_style import WritingStyle

_ANY = "(?s:.*)"
# What stands next to a mention in word-based text. ASCII alone: with classes of Unicode, a mask takes ten times longer.
_BEFORE, _AFTER = r"[ (\x22'-]", r"[ .,;:!?)\x22'-]"
_PUNCTUATION = r"!-\x2f:-@\x5b-\x60\x7b-\x7e"  # of ASCII
_NO_LATIN = "[^A-Za-z0-9]"


def sentence_grammar(mentions: Sequence[str], shortest: int, longest: int, writing: WritingStyle) -> str:
    """Return the grammar of one line of `shortest` to `longest` characters that contains all mentions."""
    unused = _unused(writing)
    if unused and re.search(f"[{unused}]", "".join(mentions)):
        unused = ""  # a rare mention with such a character
    parts = [rf"/[^\x00-\x1f{unused}]{{{shortest},{longest}}}/"]
    parts += [_containing(mention, writing.tokenisation) for mention in mentions]
    return f"{LARK}start: TEXT\nTEXT: {' & '.join(parts)}"


def list_grammar(number: int, longest: int, writing: WritingStyle) -> str:
    """Return the grammar of a list: `number` lines of at most `longest` characters."""
    lines = r' "\n" '.join(["LINE"] * number)
    unused = rf"\x00-\x1f{_unused(writing)}"
    return f"{LARK}start: {lines}\nLINE: /[^ {unused}][^{unused}]{{0,{longest - 1}}}/"


def _unused(writing: WritingStyle) -> str:
    """Return the ASCII characters that a dataset never uses, for a class of a regular expression.

    Without them, a model writes Tom Cruise in a dataset of lower-case queries, and then tom cruise once more.
    """
    letters = {"lower": "A-Z", "upper": "a-z"}.get(writing.case or "", "")
    return letters + (_PUNCTUATION if writing.punctuation == "none" else "")


def _containing(mention: str, tokenisation: Tokenisation) -> str:
    """Return the regular expression of a text that contains a mention, which is not a part of a longer word."""
    if not tokenisation.is_dense:
        return f"/({_ANY}{_BEFORE})?{_literal(mention)}({_AFTER}{_ANY})?/"
    before, after = (_NO_LATIN if _is_latin(character) else "" for character in (mention[0], mention[-1]))
    first = f"({_ANY}{before})?" if before else _ANY
    last = f"({after}{_ANY})?" if after else _ANY
    return f"/{first}{_literal(mention)}{last}/"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _literal(text: str) -> str:
    """Return the regular expression of a text; ASCII symbols are escaped by their numbers."""
    return "".join(
        rf"\x{{{ord(one):x}}}" if one.isascii() and not one.isalnum() and one != " " else one for one in text
    )
