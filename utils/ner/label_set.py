"""The labels that a span model learns: which are targets, and how much each counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.label_table import LabelTable

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
            return cls.from_table(LabelTable.from_json(value))
        if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
            raise ValueError("labels must be a list of texts, or an object that gives each an index")
        if len(value) < 2 or value[0] != "O" or len(set(value)) < len(value):
            raise ValueError(f'"O" must be the first label, and each may stand there once; found {value[:5]}')
        return cls.of_targets(value)

    @classmethod
    def from_table(cls, table: LabelTable) -> LabelSet:
        """Return the set of a label file; raise ValueError where the order of its labels is wrong."""
        entries = sorted(table.entries.items(), key=lambda pair: pair[1].idx)
        labels = tuple(label for label, _ in entries)
        if [entry.idx for _, entry in entries] != list(range(len(labels))) or labels[:1] != ("O",):
            raise ValueError('"idx" must count the labels from 0, without gaps, and "O" must be the first')
        num_labels = sum(entry.is_target for _, entry in entries)  # "O" and the targets
        if not all(entry.is_target for _, entry in entries[:num_labels]):
            raise ValueError("targets must come before extension labels")
        return cls(labels, num_labels - 1, tuple(entry.count for _, entry in entries[num_labels:]))

    @property
    def targets(self) -> tuple[str, ...]:
        return self.labels[1 : self.num_targets + 1]

    def weights(self) -> list[float]:
        """Return each column's weight in the loss: 1 for a target, min(10 / count, T / (L - 1)) for an extension."""
        most = self.num_targets / (len(self.labels) - 1)
        return [1.0] * self.num_targets + [min(RARE / max(count, 1), most) for count in self.extension_counts]
