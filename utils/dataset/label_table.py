"""Label files (`label_*.json`): the column of each label, its number of spans, and whether it is a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.files.jsonl import read_json

EXAMPLE = '{"O": {"idx": 0, "count": -1, "is_target": true}, …}'
TARGET_COUNT = -1  # the spans of target labels are not counted


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """One label of a label file."""

    idx: int
    count: int  # extension spans that were inserted; -1 for a target
    is_target: bool


@dataclass(frozen=True)
class LabelTable:
    """The labels of a label file in the file's order: "O" and the targets, then the extension labels."""

    entries: Mapping[str, LabelEntry]

    @classmethod
    def from_counts(cls, targets: Iterable[str], extension_counts: Mapping[str, int]) -> LabelTable:
        """Return the table of target labels, in their order, and of counted extension labels, sorted by name."""
        names = ("O", *targets)
        entries = {label: LabelEntry(idx, TARGET_COUNT, True) for idx, label in enumerate(names)}
        for label in sorted(extension_counts):
            entries[label] = LabelEntry(len(entries), extension_counts[label], False)
        return cls(entries)

    @classmethod
    def from_json(cls, value: Any) -> LabelTable:
        """Return the table of a JSON value; raise ValueError that names the label and the key that is wrong."""
        if not isinstance(value, dict) or "O" not in value:
            raise ValueError('it must be an object with the label "O"')
        return cls({label: _entry(label, entry) for label, entry in value.items()})

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Return the table as a label file holds it."""
        return {label: asdict(entry) for label, entry in self.entries.items()}

    @property
    def extension_counts(self) -> dict[str, int]:
        """The number of spans of each extension label."""
        return {label: entry.count for label, entry in self.entries.items() if not entry.is_target}


def read_label_table(path: Path) -> LabelTable:
    """Return the table of a label file; raise ValueError that names the file where it is not one."""
    value = read_json(path)
    try:
        return LabelTable.from_json(value)
    except ValueError as error:
        raise ValueError(f"{path}: not a label file ({EXAMPLE}): {error}") from None


def _entry(label: str, value: Any) -> LabelEntry:
    row = value if isinstance(value, dict) else {}
    idx = _field(label, "idx", row.get("idx"), int)
    is_target = _field(label, "is_target", row.get("is_target"), bool)
    count = _field(label, "count", row.get("count", TARGET_COUNT if is_target else None), int)
    return LabelEntry(idx, count, is_target)


def _field(label: str, key: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:  # not isinstance, because a bool is an int
        raise ValueError(f'label {label!r} needs "{key}", found {value!r}')
    return value
