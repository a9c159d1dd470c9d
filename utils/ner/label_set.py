"""The labels that a span model learns: which are targets, and how much each counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RARE = 10  # spans: an extension label counted less often than this weighs the most that it may


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels in the order of their columns, "O" first, then targets, then extensions with their counts."""

    labels: tuple[str, ...]
    num_targets: int  # without "O"
    extension_counts: tuple[int, ...] = ()  # one an extension

    def __post_init__(self) -> None:
        if len(self.labels) != 1 + self.num_targets + len(self.extension_counts):
            raise ValueError(
                f"{len(self.labels)} labels cannot be 'O', {self.num_targets} targets "
                f"and {len(self.extension_counts)} extensions"
            )

    @classmethod
    def of_targets(cls, labels: Sequence[str]) -> LabelSet:
        """Return the set of a `labels.txt`: "O" and targets alone."""
        return cls(tuple(labels), len(labels) - 1)

    @classmethod
    def from_json(cls, value: Any) -> LabelSet:
        """Return the set of a JSON file: a `label_*.json`, a list of labels, or an object {label: index}."""
        if isinstance(value, Mapping) and value and all(type(index) is int for index in value.values()):
            if sorted(value.values()) != list(range(len(value))):
                raise ValueError("the indices must count the labels from 0, without gaps")
            value = sorted(value, key=value.__getitem__)
        if isinstance(value, Mapping):
            return cls.from_entries(value)
        if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
            raise ValueError("labels must be a list of texts, or an object that gives each an index")
        if len(value) < 2 or value[0] != "O" or len(set(value)) < len(value):
            raise ValueError(f'"O" must be the first label, and each may stand there once; found {value[:5]}')
        return cls.of_targets(value)

    @classmethod
    def from_entries(cls, entries: Mapping[str, Mapping[str, Any]]) -> LabelSet:
        """Return the set of a `label_*.json`; raise ValueError where its order or a count cannot be right."""
        labels = sorted(entries, key=lambda label: _entry(entries, label, "idx", int))
        if [entries[label]["idx"] for label in labels] != list(range(len(labels))) or labels[:1] != ["O"]:
            raise ValueError('"idx" must count the labels from 0, without gaps, and "O" must be the first')
        is_target = [_entry(entries, label, "is_target", bool) for label in labels]
        num_labels = sum(is_target)
        if not all(is_target[:num_labels]):
            raise ValueError("targets must stand before extensions")
        counts = tuple(_entry(entries, label, "count", int) for label in labels[num_labels:])
        return cls(tuple(labels), num_labels - 1, counts)

    @property
    def targets(self) -> tuple[str, ...]:
        return self.labels[1 : self.num_targets + 1]

    def weights(self) -> list[float]:
        """Return each column's weight in the loss: 1 for a target, min(10 / count, T / (L - 1)) for an extension."""
        most = self.num_targets / (len(self.labels) - 1)
        return [1.0] * self.num_targets + [min(RARE / max(count, 1), most) for count in self.extension_counts]


def _entry(entries: Mapping[str, Mapping[str, Any]], label: str, key: str, kind: type) -> Any:
    value = entries[label].get(key) if isinstance(entries[label], Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f'label {label!r} needs "{key}", found {value!r}')
    return value
