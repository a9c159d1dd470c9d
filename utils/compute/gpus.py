"""The GPUs that the user asks for. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

DEFAULT_GPUS = (0,)  # the default of --n_gpu, for which a machine without GPUs uses the CPU


def existing_gpus(requested: Sequence[int], number: int) -> list[int]:
    """Return the requested GPUs of a machine that has `number` GPUs, or none for the CPU.

    Raises ValueError if one of them does not exist; only GPU 0, the default, may be missing on a machine without GPUs.
    """
    missing = [index for index in requested if index >= number]
    if not missing:
        return list(requested)
    if tuple(requested) == DEFAULT_GPUS:
        return []
    found = f"only {number}, counted from 0" if number else "none"
    raise ValueError(
        f"--n_gpu={','.join(map(str, requested))}: there is no GPU {missing[0]} that can be used (found {found}); "
        "choose others, or --n_gpu=-1 for the CPU"
    )
