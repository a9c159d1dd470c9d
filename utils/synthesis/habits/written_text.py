"""The tokens of a word-based dataset as the text that a person would write: `do n't .` is "don't."."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Tokens that treebanks write in another form than people do.
PEOPLE_WRITE = {
    **{"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"},
    **{"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "-lcb-": "{", "-rcb-": "}"},
}
CLITIC = re.compile(r"n['’]t|['’](?:s|re|ve|ll|d|m)", re.IGNORECASE)
MIN_SUFFIX_SHARE = 0.01  # of the sentences with tokens such as "-dependent": above it, they were split off a word

_GLUED_LEFT = re.compile(r"[.,;:!?%)\]}…’”»›°′″]+|-R[RSC]B-|-r[rsc]b-")
_GLUED_RIGHT = re.compile(r"[(\[{¿¡#@‘„‚«‹]|-L[RSC]B-|-l[rsc]b-|\S*[$£€¥]")
_APOSTROPHE_LAST = re.compile(r"[^\W\d_]{1,5}['’]")  # l'homme, dell'arte
_JOINER = re.compile(r"[-/‐–]")
_INNER_JOINER = re.compile(r"\w[-/‐–]\w")
_SUFFIX = re.compile(r"[-/]\w*[^\W\d_]\w*(?:-\w+)*")
_PREFIX = re.compile(r"\w*[^\W\d_]\w*[-/]")


@dataclass(frozen=True)
class WrittenText:
    """How the tokens of one dataset are joined to text."""

    splits_joiners: frozenset[str] = frozenset()  # hyphens and slashes that are split off the words on both sides
    splits_suffixes: bool = False  # IL-2 -dependent
    splits_at_spaces_only: bool = False

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], *, splits_at_spaces_only: bool = False) -> WrittenText:
        """Return how the tokens of tokenised sentences are joined."""
        if splits_at_spaces_only:
            return cls(splits_at_spaces_only=True)
        given = list(texts)
        apart, inside = Counter[str](), Counter[str]()
        suffixes = prefixes = 0
        for tokens in given:
            apart.update(token for token in tokens[1:-1] if _JOINER.fullmatch(token))
            inside.update(token[found.start() + 1] for token in tokens if (found := _INNER_JOINER.search(token)))
            suffixes += any(_SUFFIX.fullmatch(token) for token in tokens)
            prefixes += any(_PREFIX.fullmatch(token) for token in tokens)
        splits = frozenset(joiner for joiner, number in apart.items() if number > 2 * inside[joiner])
        return cls(splits, suffixes >= MIN_SUFFIX_SHARE * len(given) and suffixes > prefixes)

    def chunks(self, tokens: Sequence[str]) -> list[list[str]]:
        """Return the tokens grouped into the chunks that are written without a space."""
        if self.splits_at_spaces_only:
            return [[token] for token in tokens]
        chunks: list[list[str]] = []
        quotations = _Quotations()
        glues_next = False
        for index, token in enumerate(tokens):
            before = tokens[index - 1] if index else ""
            opens = quotations.opens(token, before)
            glues = not opens if opens is not None else self._glues_left(before, token)
            if chunks and (glues_next or glues):
                chunks[-1].append(token)
            else:
                chunks.append([token])
            following = tokens[index + 1] if index + 1 < len(tokens) else ""
            glues_next = opens if opens is not None else self._glues_right(before, token, following)
        return chunks

    def text(self, tokens: Sequence[str]) -> str:
        """Return tokens as text."""
        return " ".join("".join(map(people_write, chunk)) for chunk in self.chunks(tokens))

    def _glues_left(self, before: str, token: str) -> bool:
        if CLITIC.fullmatch(token):
            return before[-1:].isalnum() or before.endswith(".")
        if token in self.splits_joiners:
            return _is_word(before)
        if self.splits_suffixes and _SUFFIX.fullmatch(token):
            return _is_word(before) or before.endswith(")")
        return _GLUED_LEFT.fullmatch(token) is not None

    def _glues_right(self, before: str, token: str, following: str) -> bool:
        if token in self.splits_joiners:
            return _is_word(before) and _is_word(following)
        if token[-1:] in "$£€¥":
            return following[:1].isdigit()
        if token in ("#", "@"):
            return following[:1].isalnum()
        if _APOSTROPHE_LAST.fullmatch(token) and _is_word(following):
            return token[-2:-1].lower() != "s"
        if self.splits_suffixes and _PREFIX.fullmatch(token):
            return _is_word(following)
        return _GLUED_RIGHT.fullmatch(token) is not None


def people_write(token: str) -> str:
    """Return a token as it is written outside treebanks."""
    return PEOPLE_WRITE.get(token, token.replace("\\/", "/").replace("\\*", "*"))


def _is_word(token: str) -> bool:
    return bool(token) and (token[0].isalnum() or token[-1].isalnum())


class _Quotations:
    """Finds which quotation marks of a sentence open a quotation, in the order of its tokens."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def opens(self, token: str, before: str) -> bool | None:
        """Return whether a token opens a quotation, or closes one; None if it is no quotation mark."""
        if token in ("``", "„", "`"):
            return self._remember(token)
        if token == "“":  # closes a German quotation, opens an English one
            return not self._close("„")
        if token in ("''", "”"):
            return False
        if token not in ('"', "'"):
            return None
        if token == "'" and token not in self._open and before[-1:].lower() == "s":
            return False  # the possessive of a plural: the keepers '
        return not self._close(token) and self._remember(token)

    def _remember(self, token: str) -> bool:
        self._open.add(token)
        return True

    def _close(self, token: str) -> bool:
        """Return whether a quotation was open, and close it."""
        was_open = token in self._open
        self._open.discard(token)
        return was_open
