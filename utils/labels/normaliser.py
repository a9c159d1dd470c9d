"""The canonical label of each spelling that an LLM writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from utils.labels.files import read_label_names
from utils.labels.spelling import (
    alternatives,
    bracket_parts,
    chosen_tag,
    english_readings,
    han_alternatives,
    han_readings,
    has_name,
    is_compound,
    is_level_tag,
    is_negated,
    is_tag,
    levels,
    plain,
    without_features,
    without_prefix,
)

MAX_WITH_FEATURES = 1000  # characters with the features after a tag: Noun|Case=Nom|…
MAX_LENGTH = 80  # characters; a longer spelling is prose, and only looked up as a whole

UNKNOWN = "WORD"  # the label of a span whose spelling is in no file; its boundaries are still useful for training


class LabelNormaliser:
    """Maps spellings to canonical labels; call it with a spelling. The first file that knows it decides.

    A spelling that is in no file is read from its parts (`utils.labels.spelling`) where these are unambiguous. Else it
    stays unknown, which does less harm than a wrong label.
    """

    def __init__(self, label_files: Sequence[_LabelFile], names: Mapping[str, list[str]]) -> None:
        self._label_files = label_files
        self._found: dict[str, str | None] = {}
        self.names = names  # canonical label of the first file -> its spellings

    @classmethod
    def from_files(cls, paths: Iterable[Path]) -> LabelNormaliser:
        """Return the normaliser of label files, in the order in which they are asked.

        Raises ValueError if a spelling is listed under two canonical labels of one file.
        """
        files = [read_label_names(path) for path in paths]
        return cls([_LabelFile.of(names) for names in files], files[0])

    def __call__(self, spelling: str) -> str | None:
        """Return the canonical label of a spelling, or None if no file knows it."""
        if spelling not in self._found:
            self._found[spelling] = self._find(spelling)
        return self._found[spelling]

    def _find(self, spelling: str) -> str | None:
        key = plain(spelling)
        listed = (file.listed.get(key) for file in self._label_files)
        read = (file.read(spelling) for file in self._label_files)
        return next((label for label in chain(listed, read) if label), None) if key else None


@dataclass(frozen=True)
class _LabelFile:
    """The spellings of one file. `*公司` is a spelling, and also matches every spelling that ends with it."""

    listed: Mapping[str, str]  # plain spelling -> canonical label
    ends: Mapping[str, str]

    @classmethod
    def of(cls, names: Mapping[str, Iterable[str]]) -> _LabelFile:
        pairs = [(spelling, label) for label, spellings in names.items() for spelling in (label, *spellings)]
        return cls(
            {plain(spelling): label for spelling, label in pairs},
            {plain(spelling): label for spelling, label in pairs if _is_end(spelling)},
        )

    def read(self, spelling: str) -> str | None:
        """Return the canonical label of a spelling's parts, if they agree on one."""
        if len(spelling) > MAX_WITH_FEATURES:
            return None
        text = without_features(unicodedata.normalize("NFKC", spelling)).strip()
        if len(text) > MAX_LENGTH or is_negated(text):
            return None
        return self._read(text)

    def _read(self, text: str) -> str | None:
        listed = self.listed.get(plain(text))
        if listed:
            return listed
        chunk = without_prefix(text)
        if chunk:
            return self._read(chunk)
        for part in bracket_parts(text):
            label = self._read(part) if part.strip() else None
            if label:
                return label
        return self._read_parts(text)

    def _read_parts(self, text: str) -> str | None:
        tag = chosen_tag(text)
        if tag or is_compound(text):
            return self.listed.get(plain(tag)) if tag else self._read_phrase(text)
        parts = alternatives(text)
        if len(parts) > 1:
            return _agreed([self._read(part) for part in parts])
        parts = levels(text)
        if len(parts) > 1 and is_level_tag(parts[0]):
            return self._read_levels(parts) or self._read_phrase(text)
        if len(parts) > 1:
            return self._read_phrase(text) or self._read_levels(parts)
        parts = han_alternatives(text)
        if len(parts) > 1:
            return _agreed([self._read(part) or "" for part in parts])
        return self._read_phrase(parts[0]) if parts else None

    def _read_levels(self, parts: Sequence[str]) -> str | None:
        """Return the label of the uppermost level that has one. Names are tried before tags beside them."""
        named = [part for part in parts if has_name(part)]
        if named and all(has_name(part) or is_tag(part) for part in parts):
            parts = [*named, *(part for part in parts if part not in named)]
        return next((label for part in parts if (label := self._read_phrase(part))), None)

    def _read_phrase(self, text: str) -> str | None:
        """Return the label of a phrase without its generic words, or of its head, which is its end."""
        if has_name(text):
            return self._read_han(plain(text))
        for reading in english_readings(text):
            for start in range(len(reading)):
                key = plain("".join(reading[start:]))
                label = self.ends.get(key) if start else self.listed.get(key)
                if label:
                    return label
        return None

    def _read_han(self, key: str) -> str | None:
        readings = han_readings(key)
        listed = (self.listed.get(reading) for reading in readings)
        heads = (self._head(reading) for reading in reversed(readings))
        return next((label for label in chain(listed, heads) if label), None)

    def _head(self, key: str) -> str | None:
        """Return the label of the longest listed end of a compound."""
        return next((self.ends[key[start:]] for start in range(1, len(key)) if key[start:] in self.ends), None)


def _agreed(labels: Iterable[str | None]) -> str | None:
    """Return the label that all parts have. None is ignored; "" is a part that contradicts every label."""
    found = {label for label in labels if label is not None}
    return found.pop() or None if len(found) == 1 else None


def _is_end(spelling: str) -> bool:
    return len(spelling) > 1 and spelling.startswith("*")
