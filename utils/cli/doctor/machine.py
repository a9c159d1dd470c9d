"""The machine: Python, text encoding, cores, memory, GPUs and disk."""

from __future__ import annotations

import locale
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from utils.cli.doctor.finding import Diagnosis, problem
from utils.compute import inventory
from utils.compute.inventory import GIB

SUPPORTED = ((3, 10), (3, 12))  # the first and the last version of Python with which requirements.txt installs
LOW_DISK = 10 * GIB  # a 7B checkpoint has 15 GB, and a trained span model 0.4 GB


def check_machine(results: Path) -> Iterator[Diagnosis]:
    """Yield what was found about this machine; `results` is the folder on whose disk results are written."""
    yield _python()
    yield _encoding()
    yield _processor()
    yield from _gpus()
    yield _disk(results)


def _python() -> Diagnosis:
    found = f"{platform.python_version()} on {platform.system()} ({platform.machine()})"
    if SUPPORTED[0] <= sys.version_info[:2] <= SUPPORTED[1]:
        return Diagnosis("Python", found)
    return problem("Python", found, "use Python 3.10, 3.11 or 3.12 (docs/install.md)")


def _encoding() -> Diagnosis:
    screen = (getattr(sys.stdout, "encoding", None) or "unknown").lower()
    found = f"{locale.getlocale()[0] or 'C'}; the screen shows {screen}"
    if screen.replace("-", "") == "utf8":
        return Diagnosis("locale", found)
    return problem("locale", found, "characters that it lacks are shown as ? or \\u…; set PYTHONUTF8=1")


def _processor() -> Diagnosis:
    memory = inventory.memory()
    gigabytes = f", {memory / GIB:.0f} GiB of memory" if memory else ""
    return Diagnosis("processor", f"{inventory.cores()} cores{gigabytes}")


def _gpus() -> Iterator[Diagnosis]:
    try:
        found = inventory.gpus()
    except ImportError:
        yield Diagnosis("GPU", "not known without torch")
        return
    for index, gpu in enumerate(found):
        yield Diagnosis(f"GPU {index}", f"{gpu.name}, {gpu.free / GIB:.0f} of {gpu.total / GIB:.0f} GiB free")
    if not found:
        yield Diagnosis("GPU", "none that torch can use: all steps run on the CPU (--n_gpu=-1)")


def _disk(results: Path) -> Diagnosis:
    free = inventory.free_disk(results.resolve())
    found = f"{free / GIB:.0f} GiB free for results and models"
    if free >= LOW_DISK:
        return Diagnosis("disk", found)
    return problem("disk", found, "journals are small, but a span model takes 0.4 GB and more (docs/costs.md)")
