"""The GPUs, cores, memory and disk of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

GIB = 1 << 30


class Gpu(NamedTuple):
    """A GPU that torch can use."""

    name: str
    total: int  # bytes of memory
    free: int


def gpus() -> list[Gpu]:
    """Return the GPUs that torch can use; raise ImportError if torch is not installed."""
    import torch

    if not torch.cuda.is_available():
        return []
    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        found.append(Gpu(torch.cuda.get_device_name(index), total, free))
    return found


def cores() -> int:
    """Return the number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def memory() -> int | None:
    """Return the bytes of memory of this machine, or None if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def free_disk(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
