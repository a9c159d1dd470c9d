"""The files that are split into sizes (s4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.dataset.layout import Layout, require_files
from utils.dataset.modes import EXTENSION_MODES, Mode


@dataclass(frozen=True)
class SplitFiles:
    """The files that s4 splits."""

    train: Path
    annotations: Mapping[Mode, Path]  # those of s1 that exist
    synthetic: Path | None  # of s2
    synthetic_annotations: Mapping[Mode, Path]  # those of s3 that exist

    @property
    def results(self) -> list[Path]:
        """Return the files that were made by earlier steps."""
        synthetic = [self.synthetic] if self.synthetic else []
        return [*self.annotations.values(), *synthetic, *self.synthetic_annotations.values()]


def find_split_files(layout: Layout) -> SplitFiles:
    """Return the files to split; raise FileNotFoundError if s1 has not written any.

    The files of target labels are optional: nothing is logged if they are missing.
    """
    modes = EXTENSION_MODES
    targets = _target_file(layout, synthetic=False)
    at_least = 0 if targets else 1
    annotations = require_files({mode: layout.annotation_file(mode) for mode in modes}, "run s1", at_least=at_least)
    synthetic = require_files({"s2": layout.synthetic()}, "run s2", at_least=0).get("s2")
    if synthetic is None:
        return SplitFiles(layout.train, {**annotations, **targets}, None, {})
    files = {mode: layout.annotation_file(mode, synthetic=True) for mode in modes}
    synthetic_annotations = require_files(files, "run s3", at_least=0)
    synthetic_targets = _target_file(layout, synthetic=True)
    return SplitFiles(
        layout.train, {**annotations, **targets}, synthetic, {**synthetic_annotations, **synthetic_targets}
    )


def _target_file(layout: Layout, *, synthetic: bool) -> dict[Mode, Path]:
    """Return the file of target labels, if there is one."""
    file = layout.annotation_file("target", synthetic=synthetic)
    return {"target": file} if file.is_file() else {}
