"""On which GPUs a copy of a model stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

WEIGHTS = 0.8  # of a GPU's free memory; the rest is for the keys and values of a batch


@dataclass(frozen=True)
class Placement:
    """The GPUs that one copy may use; none: the CPU."""

    gpus: Sequence[int]

    @property
    def on_gpu(self) -> bool:
        return bool(self.gpus)

    @property
    def first(self) -> torch.device:
        return torch.device("cuda", self.gpus[0]) if self.gpus else torch.device("cpu")

    @property
    def settings(self) -> dict[str, Any]:
        """Return what `from_pretrained` is told.

        With several GPUs the first is filled before the next is used, so that a model which fits on one stays there.
        """
        if len(self.gpus) < 2:
            return {"device_map": {"": self.gpus[0]}} if self.gpus else {}
        free = {index: int(WEIGHTS * torch.cuda.mem_get_info(index)[0]) for index in self.gpus}
        return {"device_map": "sequential", "max_memory": free}


def devices_of(model: Any) -> set[Any]:
    """Return the devices that a model was loaded onto by a map: GPUs' numbers, `cpu`, `disk`."""
    return set((getattr(model, "hf_device_map", None) or {}).values())
