"""Memory that is no longer needed, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import mmap
import sys
from typing import Any

from torch import Tensor

MADV_PAGEOUT = 21  # Linux 5.4: pages of a file are dropped, others are written to the swap, if there is any


def page_out(weight: Tensor) -> None:
    """Let the system drop the memory pages of a weight on the CPU that is not read soon.

    Weights of a .safetensors file are mapped into memory, and every page that was read counts as memory of the process.
    The weight keeps its values: they are read from the file again when they are needed. Does nothing except on Linux.
    """
    if libc := _libc():
        start = -(-weight.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
        end = (weight.data_ptr() + weight.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE
        if end > start:
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_PAGEOUT)


def release_freed_memory() -> None:
    """Give memory that was freed, but is kept by the C library for later, back to the system."""
    gc.collect()
    libc = _libc()
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)


def _libc() -> Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None
