"""The mentions that a new sentence must contain, and their positions in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from utils.dataset.records import Sentence, Span
from utils.dataset.tokens import CHARACTERS, WORDS
from utils.placing import TokenIndex
from utils.synthesis.writing_style import WritingStyle

MAX_MENTIONS = 2  # a small model does not fit more into one natural sentence
# Characters. A mention of one ideograph is too often a part of another word, and long ones are copies of the source.
MIN_LENGTH = {CHARACTERS: 2, WORDS: 2}
MAX_LENGTH = {CHARACTERS: 16, WORDS: 40}
COPIED = "copied"  # origin of labels that are known because their mention was copied

_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Mention:
    """A text with a target label, and the labels of all spans inside it; offsets are those of its own tokens."""

    text: str  # as a person would write it
    tokens: tuple[str, ...]
    spans: tuple[Span, ...]  # the first one is the whole mention

    @property
    def label(self) -> str:
        """The label of the whole mention."""
        return self.spans[0].label


def is_usable(text: str, tokens: Sequence[str], writing: WritingStyle) -> bool:
    """Return whether a new sentence can contain a text, so that its tokens are found again."""
    shortest, longest = MIN_LENGTH[writing.tokenisation], MAX_LENGTH[writing.tokenisation]
    if not shortest <= len(text) <= longest or _CONTROL.search(text) or not any(map(str.isalnum, text)):
        return False
    return writing.tokens(text) == list(tokens)


def usable_mentions(sentence: Sentence, writing: WritingStyle) -> list[Mention]:
    """Return the usable mentions of a sentence, in order, without those that are a part of another one."""
    mentions: list[Mention] = []
    for span in sorted(sentence.spans, key=lambda span: (span.start, -span.end)):
        tokens = sentence.tokens[span.start : span.end]
        text = writing.written(tokens)
        if is_usable(text, tokens, writing) and not any(overlap(text, other.text) for other in mentions):
            mentions.append(Mention(text, tokens, tuple(_spans_inside(sentence, span))))
    return mentions


def choose_mentions(mentions: Sequence[Mention], key: str, *, number: int = MAX_MENTIONS) -> list[Mention]:
    """Return some of the mentions, in their order; a random choice that depends on `key`."""
    ranked = sorted(mentions, key=lambda mention: random_rank(key, mention.text))
    chosen = ranked[:number]
    return [mention for mention in mentions if mention in chosen]


def place_mentions(mentions: Iterable[Mention], tokens: Sequence[str]) -> list[Span] | None:
    """Return the spans of all mentions in a sentence, sorted; None if one of the mentions is not in it."""
    index = TokenIndex(tokens)
    spans: set[Span] = set()
    for mention in mentions:
        found = [
            (start, end)
            for start, end, is_exact in index.find_all(mention.text)
            if is_exact and end - start == len(mention.tokens)
        ]
        if not found:
            return None
        spans |= {_moved(span, start) for start, _ in found for span in mention.spans}
    return sorted(spans, key=lambda span: span.key)


def random_rank(key: str, text: str) -> bytes:
    """Return a sort key that puts texts in a random order, which is another one for each `key`."""
    return hashlib.sha256(f"{key} {text}".encode()).digest()


def _spans_inside(sentence: Sentence, outer: Span) -> Iterator[Span]:
    """Yield a span, and then the other spans inside it, with the offsets of its tokens."""
    others = (span for span in sentence.spans if span != outer)
    for span in (outer, *others):
        if outer.contains(span):
            yield Span(span.start - outer.start, span.end - outer.start, span.label, COPIED)


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by)


def overlap(one: str, other: str) -> bool:
    """Return whether one of two texts is a part of the other."""
    return one in other or other in one
