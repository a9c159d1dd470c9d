"""The labels that a span model learns: targets and extensions, and their weights in the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.label_table import LabelTable
from utils.wording import counted

EXTENSION_WEIGHT = 10  # in the loss, of all spans of an extension label together, unless the label is rare


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Labels in the order of the model's columns: "O", then targets, then extensions with their counts."""

    labels: tuple[str, ...]
    num_targets: int  # without "O"
    extension_counts: tuple[int, ...] = ()  # spans in the training data, one number per extension label

    def __post_init__(self) -> None:
        if len(self.labels) != 1 + self.num_targets + len(self.extension_counts):
            raise ValueError(
                f"{counted(len(self.labels), 'label')} cannot be 'O', {counted(self.num_targets, 'target')} "
                f"and {counted(len(self.extension_counts), 'extension')}"
            )

    @classmethod
    def of_targets(cls, labels: Sequence[str]) -> LabelSet:
        """Return the label set of a `labels.txt`: "O" and targets only."""
        return cls(tuple(labels), len(labels) - 1)

    @classmethod
    def from_json(cls, value: Any) -> LabelSet:
        """Return the label set of a `label_*.json`, a list of labels, or an object {label: index}, read from JSON."""
        if isinstance(value, Mapping) and value and all(type(index) is int for index in value.values()):
            if sorted(value.values()) != list(range(len(value))):
                raise ValueError("label indices must be 0, 1, 2, … without gaps")
            value = sorted(value, key=value.__getitem__)
        if isinstance(value, Mapping):
            return cls.from_table(LabelTable.from_json(value))
        if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
            raise ValueError("labels must be a list of strings, or an object {label: index}")
        if len(value) < 2 or value[0] != "O" or len(set(value)) < len(value):
            raise ValueError(f'labels must begin with "O" and have no duplicates; found {value[:5]}')
        return cls.of_targets(value)

    @classmethod
    def from_table(cls, table: LabelTable) -> LabelSet:
        """Return the label set of a label file; raise ValueError if its labels are in a wrong order."""
        entries = sorted(table.entries.items(), key=lambda pair: pair[1].idx)
        labels = tuple(label for label, _ in entries)
        if [entry.idx for _, entry in entries] != list(range(len(labels))) or labels[:1] != ("O",):
            raise ValueError('"idx" must be 0, 1, 2, … without gaps, and 0 for "O"')
        num_targets = sum(entry.is_target for _, entry in entries)  # with "O"
        if not all(entry.is_target for _, entry in entries[:num_targets]):
            raise ValueError("targets must come before extension labels")
        return cls(labels, num_targets - 1, tuple(entry.count for _, entry in entries[num_targets:]))

    @property
    def targets(self) -> tuple[str, ...]:
        """The target labels, without "O"."""
        return self.labels[1 : self.num_targets + 1]

    def weights(self) -> list[float]:
        """Return the weight of each column in the loss: 1 for a target, min(10 / count, T / (L - 1)) for an extension.

        T is the number of targets, L that of all labels with "O". With 4 targets and 3 extensions of 1000, 20 and 5
        spans (L = 8), the extensions weigh 0.01, 0.5 and 4 / 7, the highest weight, instead of 2.
        """
        highest = self.num_targets / (len(self.labels) - 1)
        return [1.0] * self.num_targets + [
            min(EXTENSION_WEIGHT / max(count, 1), highest) for count in self.extension_counts
        ]
