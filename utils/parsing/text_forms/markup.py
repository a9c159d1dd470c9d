"""XML elements as candidates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.keys import LABEL_KEYS, TEXT_KEYS, WRAPPERS, plain_key
from utils.parsing.text_forms.decoration import split_texts

_ELEMENT = re.compile(r"<([^\W\d][\w.-]{0,40})((?:\s[^<>]{0,120})?)>([^<>]{1,200})</\1\s{0,4}>")
_LINK = re.compile(r"\[([^\[\]()\n]{1,120})\][(（]([^\[\]()（）\n]{1,40})[)）]")
_ATTRIBUTE = re.compile(r"""=\s{0,4}["']([^"'<>]{1,60})["']""")


def read_links(text: str, context: Context) -> list[ItemCandidate]:
    """Return the candidates of `[Ann Lee](PER) flew to [Oslo](LOC)` whose text is in the sentence."""
    return [ItemCandidate(link[1], link[2], "pair") for link in _LINK.finditer(text) if context.contains(link[1])]


def read_elements(text: str, context: Context) -> Iterator[ItemCandidate]:
    """Yield the candidates of elements in a text.

    The forms are `<地名>北京</地名>`, `<entity type="地名">北京</entity>` and `<word>北京</word><pos>ns</pos>`.
    """
    waiting: str | None = None  # a text whose label follows
    for match in _ELEMENT.finditer(text):
        name, attributes, content = match[1], match[2], match[3].strip()
        key = plain_key(name)
        attribute = _ATTRIBUTE.search(attributes)
        if attribute and content:
            yield ItemCandidate(content, attribute[1].strip())
        elif key in LABEL_KEYS and waiting:
            yield ItemCandidate(waiting, content)
            waiting = None
        elif key in TEXT_KEYS:
            waiting = content
        elif content and key not in WRAPPERS:
            yield from (ItemCandidate(one, name) for one in split_texts(content, context, named=True))
