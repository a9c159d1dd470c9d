"""Spellings of labels, as LLMs write them, and the canonical label of each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from utils.files.jsonl import read_json
from utils.labels.spelling import (
    alternatives,
    bracket_parts,
    english_readings,
    han_alternatives,
    han_readings,
    has_name,
    is_negated,
    is_tag,
    levels,
    plain,
    without_prefix,
)

# Language -> which spelling of a label is its name, and the script that it is written in.
_NAME_PLACES = {
    "zh": (0, "[\u4e00-\u9fff]+"),
    "ja": (1, "[\u3040-\u30ff\u4e00-\u9fff]+"),
    "ko": (2, "[\uac00-\ud7a3 ]+"),
}

LONGEST_READ = 80  # characters; what is longer is no label, and is looked up as it stands

UNKNOWN = "WORD"  # what a span is called whose label no file knows: its boundary is still knowledge


class LabelNormaliser:
    """Finds the canonical label of a spelling; call it with one. The first file that knows it decides.

    A spelling that no file lists is read from its parts (`utils.labels.spelling`) where these leave no doubt; else it
    stays unknown, which does less harm than a wrong label.
    """

    def __init__(self, tables: Sequence[_Table], names: Mapping[str, list[str]]) -> None:
        self._tables = tables
        self._found: dict[str, str | None] = {}
        self.names = names  # canonical label of the first file -> its spellings

    @classmethod
    def from_files(cls, paths: Iterable[Path]) -> LabelNormaliser:
        """Return the normaliser of label files, the most telling one first.

        Raises ValueError where a spelling stands under two canonical labels of one file.
        """
        files = [read_label_names(path) for path in paths]
        return cls([_Table.of(names) for names in files], files[0])

    def __call__(self, spelling: str) -> str | None:
        """Return the canonical label of `spelling`, or None where no file knows it."""
        if spelling not in self._found:
            self._found[spelling] = self._find(spelling)
        return self._found[spelling]

    def _find(self, spelling: str) -> str | None:
        key = plain(spelling)
        listed = (table.listed.get(key) for table in self._tables)
        read = (table.read(spelling) for table in self._tables)
        return next((label for label in chain(listed, read) if label), None) if key else None


@dataclass(frozen=True)
class _Table:
    """The spellings of one file; `*公司` among them is one, and stands for all that ends in it."""

    listed: Mapping[str, str]  # plain spelling -> canonical label
    ends: Mapping[str, str]

    @classmethod
    def of(cls, names: Mapping[str, Iterable[str]]) -> _Table:
        pairs = [(spelling, label) for label, spellings in names.items() for spelling in (label, *spellings)]
        return cls(
            {plain(spelling): label for spelling, label in pairs},
            {plain(spelling): label for spelling, label in pairs if _is_end(spelling)},
        )

    def read(self, spelling: str) -> str | None:
        """Return the canonical label that the parts of a spelling speak for, if it is one alone."""
        text = unicodedata.normalize("NFKC", spelling).strip()
        if len(text) > LONGEST_READ or is_negated(text):
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
        parts = alternatives(text)
        if len(parts) > 1:
            return _agreed([self._read(part) for part in parts])
        parts = levels(text)
        if len(parts) > 1:
            return self._read_phrase(text) or self._read_levels(parts)
        parts = han_alternatives(text)
        if len(parts) > 1:
            return _agreed([self._read(part) or "" for part in parts])
        return self._read_phrase(parts[0]) if parts else None

    def _read_levels(self, parts: Sequence[str]) -> str | None:
        """Return the label of the uppermost level that has one; a name says more than a tag beside it."""
        named = [part for part in parts if has_name(part)]
        if named and all(has_name(part) or is_tag(part) for part in parts):
            parts = [*named, *(part for part in parts if part not in named)]
        return next((label for part in parts if (label := self._read_phrase(part))), None)

    def _read_phrase(self, text: str) -> str | None:
        """Return the label of a phrase: without what says nothing, or by its head, which stands at its end."""
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
    """Return the label that all parts have; None stands for a part that says nothing, "" for one that is unknown."""
    found = {label for label in labels if label is not None}
    return found.pop() or None if len(found) == 1 else None


def _is_end(spelling: str) -> bool:
    return len(spelling) > 1 and spelling.startswith("*")


def read_label_names(path: Path) -> dict[str, list[str]]:
    """Return the canonical labels of a file with their spellings; raise for what is not such a file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: a file that maps each canonical label to its spellings")
    value = read_json(path)
    if not isinstance(value, dict) or not value:
        raise ValueError(f'{path}: expected {{"PERSON": ["人名", "nr", …], …}}')
    for label, spellings in value.items():
        if not isinstance(spellings, list) or not all(isinstance(spelling, str) for spelling in spellings):
            raise ValueError(f"{path}: {label!r} must have a list of spellings")
        if broken := next((text for text in (label, *spellings) if not _is_text(text)), None):
            raise ValueError(f"{path}: {label!a} has {broken!a}, with half of a character: write it whole")
    _refuse_shared_spellings(value, path)
    return value


def display_names(names: Mapping[str, Sequence[str]], language: str) -> dict[str, str]:
    """Return what each canonical label is called in prompts: in English itself, else a spelling of the language.

    The first three spellings of a label are its Chinese, Japanese and Korean name. Where a file does not hold to
    that, which the script shows, the canonical label is used.
    """
    place = _NAME_PLACES.get(language)
    if place is None:
        return {label: label for label in names}
    index, script = place
    chosen = {label: "".join(spellings[index : index + 1]) for label, spellings in names.items()}
    return {label: name if re.fullmatch(script, name) else label for label, name in chosen.items()}


def _is_text(spelling: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in spelling)


def _refuse_shared_spellings(names: Mapping[str, Iterable[str]], path: Path) -> None:
    owners: dict[str, str] = {}
    for label, spellings in names.items():
        for spelling in (label, *spellings):
            other = owners.setdefault(plain(spelling), label)
            if other != label:
                raise ValueError(f"{path}: {spelling!r} stands under {other} and under {label}; keep one of them")
