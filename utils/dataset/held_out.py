"""Find sentences of dev or test among other sentences, and warn about them."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
        for tokens, position in texts:
            key = held_out_key(tokens)
            if key:
                self._whole[key].append(position)
            part = _letters(key)
            if sum(1 + (character >= FIRST_DENSE) for character in part) >= MIN_PART:
                self._parts[part[:PREFIX]].append((part, position))

    def equal(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that a sentence equals.

        Differences in case, width, whitespace, invisible characters and tokenisation do not count.
        """
        return self._whole.get(held_out_key(tokens), [])

    def contained(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that are part of a sentence; punctuation does not count."""
        text = _letters(held_out_key(tokens))
        found = []
        for start in range(len(text) - PREFIX + 1):
            near = self._parts.get(text[start : start + PREFIX], ())
            found += [position for part, position in near if text.startswith(part, start)]
        equal = self.equal(tokens)
        return [position for position in dict.fromkeys(found) if position not in equal]

    def find(self, tokens: Sequence[str]) -> list[Position]:
        """Return the positions of the held-out sentences that a sentence equals or contains."""
        return [*self.equal(tokens), *self.contained(tokens)]


def held_out_key(tokens: Sequence[str]) -> str:
    """Return a key that is equal for sentences that a reader, or a model, takes for the same.

    >>> held_out_key(["Ｏslo", "is\u200b", "cold", "."]) == held_out_key(["oslo is cold."])
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", "".join(tokens)).casefold())
    if folded.isprintable():  # then only some letters and the space are invisible
        return _PRINTABLE_INVISIBLE.sub("", folded)
    return "".join(character for character in folded if not _is_invisible(character))


def warn_of_shared_sentences(train: Path, held_out: Iterable[Path]) -> None:
    """Warn if sentences of `train` are also in one of the other files that exist: scores on them would be too high.

    A file that cannot be read causes a warning, too: it is not needed yet.
    """
    for file in held_out:
        if not file.is_file():
            continue
        try:
            texts = HeldOutTexts((text, line) for line, text in _texts_by_line(file))
        except ValueError as error:
            log.warning("%s is not compared with the training sentences: %s", file, error)
            continue
        shared: dict[int, int] = {}  # line of the held-out sentence -> first line of a training sentence
        for line, text in _texts_by_line(train):
            for found in texts.find(text):
                shared.setdefault(found, line)
        if shared:
            first = min(shared)
            log.warning(
                "%s of %s %s in the training file, such as %s:%d = %s:%d: scores will be too high; remove what is in "
                "both from one of the files",
                counted(len(shared), "sentence"),
                file,
                agreeing(len(shared), "is also", "are also"),
                train,
                shared[first],
                file,
                first,
            )


def _is_invisible(character: str) -> bool:
    return character.isspace() or character in INVISIBLE or unicodedata.category(character) in ("Cc", "Cf")


def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key))


def _texts_by_line(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line, and its text as a list; rows without text are skipped."""
    for line, row in read_rows(path):
        if text := _as_list(row.get("text")):
            yield line, text


def _as_list(text: Any) -> list[str]:
    if isinstance(text, str):
        return [text]
    return text if isinstance(text, list) and all(isinstance(token, str) for token in text) else []
