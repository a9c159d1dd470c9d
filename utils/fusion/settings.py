"""The settings of a merge, from flags or a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MergeSettings:
    """How extension labels are standardised and merged."""

    entity_label: Path  # label files
    pos_label: Path
    label_prefix: str = ""
    drop_crossing: bool = False  # drop extension spans that partly overlap a target span
    min_agreement: float | None = None  # leave out extension labels that agree less with gold spans; None: keep all
