"""The settings of a prediction, from flags or a notebook; importing them does not load torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PredictionSettings:
    """Which trained span model predicts, where, and how its scores become spans."""

    model: Path
    encoder: Path | None = None  # its tokenizer is used if the model's folder has none
    gpus: tuple[int, ...] = ()  # none: the CPU
    batch_size: int = 16
    threshold: float | None = None  # None: the checkpoint's
    nested: bool | None = None  # None: the checkpoint's
    multi_label: bool = False

    @property
    def decoding(self) -> dict[str, Any]:
        """Return the settings that turn scores into spans, as `SpanNer.predict` takes them and manifests hold them."""
        return {"threshold": self.threshold, "nested": self.nested, "multi_label": self.multi_label}
