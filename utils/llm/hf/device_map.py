"""The GPUs that one replica of a model is loaded on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

MEMORY_FOR_WEIGHTS = 0.8  # share of a GPU's free memory; the rest is for the keys and values of a batch


@dataclass(frozen=True)
class DeviceMap:
    """The GPUs that one replica may use; without GPUs, it runs on the CPU."""

    gpus: Sequence[int]

    @property
    def on_gpu(self) -> bool:
        return bool(self.gpus)

    @property
    def first(self) -> torch.device:
        return torch.device("cuda", self.gpus[0]) if self.gpus else torch.device("cpu")

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of `from_pretrained` that place the model.

        Of several GPUs, the first is filled before the next is used, so a model that fits on one GPU stays there.
        """
        if len(self.gpus) < 2:
            return {"device_map": {"": self.gpus[0]}} if self.gpus else {}
        free = {index: int(MEMORY_FOR_WEIGHTS * torch.cuda.mem_get_info(index)[0]) for index in self.gpus}
        return {"device_map": "sequential", "max_memory": free}


def devices_of(model: Any) -> set[Any]:
    """Return the devices that a device map put a model on: numbers of GPUs, "cpu", "disk"."""
    return set((getattr(model, "hf_device_map", None) or {}).values())
