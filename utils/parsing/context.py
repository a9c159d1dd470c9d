"""The context of an answer: the annotation mode and the sentence, which decide between several readings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from utils.dataset.modes import Mode
from utils.dataset.tokens import without_spaces

MIN_SINGLES = 0.8  # share of one-character tokens from which a sentence is read as dense text

_LATIN = "A-Za-z\u00c0-\u024fＡ-Ｚａ-ｚ"
_INSIDE_RUN = re.compile(rf"(?<=[{_LATIN}])(?=[{_LATIN}])|(?<=[0-9０-９])(?=[0-9０-９])")


class SentenceText:
    """A sentence that is searched for texts. Tokens are separated by spaces, or characters in dense text."""

    def __init__(self, sentence: str) -> None:
        tokens = sentence.split()
        if sum(len(token) == 1 for token in tokens) >= MIN_SINGLES * len(tokens):
            tokens = re.sub(r"(?<=\S) (?=\S)", "", sentence).split()
        tokens = [token.casefold() for token in tokens]
        self.compact = "".join(tokens)
        self._answers: dict[str, bool] = {}
        self._inside: set[int] = set()  # offsets in `compact` that are inside a run of Latin letters or digits
        offset = 0
        for token in tokens:
            self._inside.update(offset + match.start() for match in _INSIDE_RUN.finditer(token))
            offset += len(token)

    def contains(self, text: str) -> bool:
        """Return whether a text is in the sentence, without regard to case and spaces; no word is cut."""
        if text not in self._answers:
            self._answers[text] = self._search(text)
        return self._answers[text]

    def _search(self, text: str) -> bool:
        wanted = plain(text)
        start = self.compact.find(wanted) if wanted else -1
        while start >= 0:
            if start not in self._inside and start + len(wanted) not in self._inside:
                return True
            start = self.compact.find(wanted, start + 1)
        return False


@dataclass(frozen=True)
class Context:
    """The annotation mode of an answer, and its sentence, or None if it is not known."""

    mode: Mode
    sentence: SentenceText | None = None

    def contains(self, text: str) -> bool:
        """Return whether the sentence is known and contains a text."""
        return self.sentence is not None and self.sentence.contains(text)

    def is_sentence(self, text: str) -> bool:
        """Return whether a text is the whole sentence, which some models repeat."""
        return self.sentence is not None and len(text) > 1 and plain(text) == self.sentence.compact

    def lacks(self, text: str) -> bool:
        """Return whether the sentence is known and does not contain a text."""
        return self.sentence is not None and not self.sentence.contains(text)


def plain(text: str) -> str:
    """Return a text in lower case without spaces."""
    return without_spaces(text).casefold()
