"""Find sentences of dev or test among other sentences, and warn about them."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import add
from pathlib import Path
from typing import Any, Generic, TypeVar

from utils.files.jsonl import read_rows
from utils.wording import agreeing, counted

log = logging.getLogger(__name__)

Position = TypeVar("Position")

# Characters that no font shows, besides those of the Unicode categories Cc and Cf.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\ufe00\ufe01\ufe02\ufe0e\ufe0f")
_PRINTABLE_INVISIBLE = re.compile(f"[ {''.join(sorted(INVISIBLE))}]")
FIRST_DENSE = "\u2e80"  # ideographs, kana and Hangul begin here; each says as much as two letters
MIN_PART = 12  # letters, or half as many ideographs: a shorter sentence may be part of another one by chance
PREFIX = MIN_PART // 2  # characters: the shortest key of a part


class HeldOutTexts(Generic[Position]):
    """The texts of sentences that must not be used for training, with their positions."""

    def __init__(self, texts: Iterable[tuple[Sequence[str], Position]]) -> None:
        self._whole: dict[str, list[Position]] = defaultdict(list)  # by `held_out_key`
        self._parts: dict[str, list[tuple[str, Position]]] = defaultdict(list)  # by the first characters
        self._pairs: set[str] = set()  # the first two characters of the parts
        for tokens, position in texts:
            key = held_out_key(tokens)
            if key:
                self._whole[key].append(position)
            part = _letters(key)
            if sum(1 + (character >= FIRST_DENSE) for character in part) >= MIN_PART:
                self._parts[part[:PREFIX]].append((part, position))
                self._pairs.add(part[:2])

    def equal(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that a sentence equals.

        Differences in case, width, whitespace, invisible characters and tokenisation do not count.
        """
        return self._whole.get(held_out_key(tokens), [])

    def contained(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that are part of a sentence; punctuation does not count."""
        key = held_out_key(tokens)
        equal = self._whole.get(key, [])
        return [position for position in self._found_in(key) if position not in equal]

    def find(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that a sentence equals or contains."""
        key = held_out_key(tokens)
        return [*dict.fromkeys([*self._whole.get(key, []), *self._found_in(key)])]

    def _found_in(self, key: str) -> list[Position]:
        """Return the positions of the held-out sentences that are part of a key, each once."""
        text = _letters(key)
        if self._pairs.isdisjoint(map(add, text, text[1:])):  # most sentences; much faster than the loop
            return []
        found: dict[Position, None] = {}
        for start in range(len(text) - PREFIX + 1):
            for part, position in self._parts.get(text[start : start + PREFIX], ()):
                if text.startswith(part, start):
                    found[position] = None
        return [*found]


def held_out_key(tokens: Sequence[str]) -> str:
    """Return a key that is equal for sentences that a reader, or a model, takes for the same.

    >>> held_out_key(["Ｏslo", "is\u200b", "cold", "."]) == held_out_key(["oslo is cold."])
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", "".join(tokens)).casefold())
    if folded.isprintable():  # then only some letters and the space are invisible
        return _PRINTABLE_INVISIBLE.sub("", folded)
    return "".join(character for character in folded if not _is_invisible(character))


class SharedSentences:
    """Compares training sentences with held-out files: scores on sentences in both would be too high.

    Files that do not exist are ignored. A file that cannot be read causes a warning: it is not needed yet.
    """

    def __init__(self, train: Path, held_out: Iterable[Path]) -> None:
        self._train = train
        self._files = [file for file in held_out if file.is_file()]
        self._texts = HeldOutTexts(chain.from_iterable(map(_held_out_texts, self._files)))
        self._shared: dict[tuple[Path, int], int] = {}  # line of a file -> first line of a training sentence

    def add(self, line: int, tokens: Sequence[str]) -> None:
        """Compare one training sentence."""
        for found in self._texts.find(tokens):
            self._shared.setdefault(found, line)

    def finish(self) -> None:
        """Warn about each file that has sentences in the training file."""
        for file in self._files:
            shared = {line: first for (other, line), first in self._shared.items() if other == file}
            if shared:
                first = min(shared)
                log.warning(
                    "%s of %s %s in the training file, such as %s:%d = %s:%d: scores will be too high; remove what is "
                    "in both from one of the files",
                    counted(len(shared), "sentence"),
                    file,
                    agreeing(len(shared), "is also", "are also"),
                    self._train,
                    shared[first],
                    file,
                    first,
                )


def warn_of_shared_sentences(train: Path, held_out: Iterable[Path]) -> None:
    """Warn if sentences of `train` are also in one of the other files, as `SharedSentences` does."""
    shared = SharedSentences(train, held_out)
    for line, text in _texts_by_line(train):
        shared.add(line, text)
    shared.finish()


def _held_out_texts(file: Path) -> list[tuple[Sequence[str], tuple[Path, int]]]:
    try:
        return [(text, (file, line)) for line, text in _texts_by_line(file)]
    except ValueError as error:
        log.warning("%s is not compared with the training sentences: %s", file, error)
        return []


def _is_invisible(character: str) -> bool:
    return character.isspace() or character in INVISIBLE or unicodedata.category(character) in ("Cc", "Cf")


def _letters(key: str) -> str:
    return key if key.isalnum() else "".join(filter(str.isalnum, key))


def _texts_by_line(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line, and its text as a list; rows without text are skipped."""
    for line, row in read_rows(path):
        if text := _as_list(row.get("text")):
            yield line, text


def _as_list(text: Any) -> list[str]:
    if isinstance(text, str):
        return [text]
    return text if isinstance(text, list) and all(isinstance(token, str) for token in text) else []
