"""Files that map each canonical label to its spellings, and the names of labels in prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from utils.files.jsonl import read_json
from utils.labels.spelling import plain

# Language -> index of a label's name among its spellings, and the characters of such a name.
_NAME_POSITIONS = {
    "zh": (0, "[\u4e00-\u9fff]+"),
    "ja": (1, "[\u3040-\u30ff\u4e00-\u9fff]+"),
    "ko": (2, "[\uac00-\ud7a3 ]+"),
}


def read_label_names(path: Path) -> dict[str, list[str]]:
    """Return the canonical labels of a file with their spellings.

    Raises FileNotFoundError, or ValueError for an invalid file and for a spelling that is listed under two labels.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: it must be a JSON file that maps each canonical label to its spellings"
        )
    value = read_json(path)
    if not isinstance(value, dict) or not value:
        raise ValueError(f'{path}: expected a JSON object such as {{"PERSON": ["人名", "nr", …], …}}')
    for label, spellings in value.items():
        if not isinstance(spellings, list) or not all(isinstance(spelling, str) for spelling in spellings):
            raise ValueError(f"{path}: the value of {label!r} must be a list of spellings")
        if broken := next((text for text in (label, *spellings) if _has_lone_surrogate(text)), None):
            raise ValueError(
                f"{path}: {broken!a} of label {label!a} contains a lone surrogate (half of a character): "
                "correct or remove it"
            )
    _refuse_shared_spellings(value, path)
    return value


def display_names(names: Mapping[str, Sequence[str]], language: str) -> dict[str, str]:
    """Return the name of each canonical label in prompts of a language; for English, the label itself.

    The first three spellings of a label are its Chinese, Japanese and Korean names. If the spelling at that position is
    in another script, the canonical label is used.
    """
    position = _NAME_POSITIONS.get(language)
    if position is None:
        return {label: label for label in names}
    index, script = position
    chosen = {label: "".join(spellings[index : index + 1]) for label, spellings in names.items()}
    return {label: name if re.fullmatch(script, name) else label for label, name in chosen.items()}


def _has_lone_surrogate(spelling: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in spelling)


def _refuse_shared_spellings(names: Mapping[str, Iterable[str]], path: Path) -> None:
    owners: dict[str, str] = {}
    for label, spellings in names.items():
        for spelling in (label, *spellings):
            other = owners.setdefault(plain(spelling), label)
            if other != label:
                raise ValueError(f"{path}: {spelling!r} is listed under {other} and under {label}; keep one of them")
