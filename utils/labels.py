"""Spellings of labels, as LLMs write them, and the canonical label of each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from utils.jsonl import read_json

# Language -> which spelling of a label is its name, and the script that it is written in.
_NAME_PLACES = {
    "zh": (0, "[\u4e00-\u9fff]+"),
    "ja": (1, "[\u3040-\u30ff\u4e00-\u9fff]+"),
    "ko": (2, "[\uac00-\ud7a3 ]+"),
}

UNKNOWN = "WORD"  # what a span is called whose label no file knows: its boundary is still knowledge


class LabelNormaliser:
    """Finds the canonical label of a spelling; call it with one. The first file that knows it decides."""

    def __init__(self, tables: Sequence[Mapping[str, str]], names: Mapping[str, list[str]]) -> None:
        self._tables = tables
        self.names = names  # canonical label of the first file -> its spellings

    @classmethod
    def from_files(cls, paths: Iterable[Path]) -> LabelNormaliser:
        """Return the normaliser of label files, the most telling one first.

        Raises ValueError where a spelling stands under two canonical labels of one file.
        """
        files = [read_label_names(path) for path in paths]
        return cls([_table(names) for names in files], files[0])

    def __call__(self, spelling: str) -> str | None:
        """Return the canonical label of `spelling`, or None where no file knows it."""
        keys = list(_keys(spelling))
        for table in self._tables:
            for key in keys:
                if key in table:
                    return table[key]
        return None


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


def _table(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {_plain(spelling): label for label, spellings in names.items() for spelling in (label, *spellings)}


def _refuse_shared_spellings(names: Mapping[str, Iterable[str]], path: Path) -> None:
    owners: dict[str, str] = {}
    for label, spellings in names.items():
        for spelling in (label, *spellings):
            other = owners.setdefault(_plain(spelling), label)
            if other != label:
                raise ValueError(f"{path}: {spelling!r} stands under {other} and under {label}; keep one of them")


def _keys(spelling: str) -> Iterable[str]:
    """Yield what to look up for a spelling: itself, then its parts: `名词(n)`, `nr-人名`, `组织/机构`."""
    yield _plain(spelling)
    text = unicodedata.normalize("NFKC", spelling)
    outside = re.sub(r"[(\[{<【《「].*?[)\]}>】》」]", "", text)
    yield _plain(outside)
    for part in re.split(r"[()\[\]{}<>【】《》「」/\\|,;:、。_.\-—+&\s]+", text):
        if part:
            yield _plain(part)


def _plain(spelling: str) -> str:
    """Return a spelling without differences of case, width, blanks and decoration."""
    text = "".join(unicodedata.normalize("NFKC", spelling).casefold().split())
    return re.sub(r"[\W_]+", "", text) or text
