"""Files that the project writes in place: they are never reached through a link, and are no FIFOs or devices.

Datasets come from others and may contain links. A link called like a journal, a lock or a run log must not make a step
write to the file that it points to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

# Without these, a link would be followed and opening a FIFO would wait for its reader. Windows does not have them.
SAFE_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def open_own_file(path: Path, mode: str, *, buffering: int = -1) -> BinaryIO:
    """Return a file opened for writing in place, created if it is missing; raise ValueError as `check_own_file`."""
    check_own_file(path)
    return cast(BinaryIO, open(path, mode, buffering=buffering, opener=_open_safely))


def check_own_file(path: Path) -> None:
    """Raise ValueError if a file that is to be written in place is a link, a FIFO or a device, or has another name."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise ValueError(f"{path} is a link, and nothing is written through it: delete it, or put a copy in its place")
    if stat.S_ISDIR(found.st_mode):
        raise ValueError(f"{path} is a folder, but a file is to be written there: rename or delete the folder")
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path} is a FIFO, a socket or a device, and no regular file: delete it")
    if found.st_nlink > 1:
        raise ValueError(
            f"{path} is also a file of another name (a hard link), which would change, too: put a copy in its place"
        )


def check_replaceable(path: Path) -> None:
    """Raise ValueError if a file that is to be replaced is a FIFO or a device, also behind a link."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is a FIFO, a socket or a device, and no regular file: give the name of a file")


def check_folders(folders: Iterable[Path], *, inside: Path, name: str | None = None) -> None:
    """Raise ValueError if one of the folders is a file, or a link that leaves the folder `inside`, called `name`."""
    for folder in folders:
        if folder.is_file():
            raise ValueError(f"{folder} is a file, but it must be a folder: rename or delete it")
        if folder.is_symlink() and not folder.resolve().is_relative_to(inside.resolve()):
            raise ValueError(f"{folder} is a link to a folder outside {name or inside}: replace it with a real folder")


def check_folders_above(path: Path, *, inside: Path) -> None:
    """Raise ValueError if a folder of a path below the folder `inside` is a file, or a link that leaves `inside`."""
    check_folders((one for one in (path, *path.parents) if inside in one.parents), inside=inside)


def remove_other_kind(path: Path) -> bool:
    """Remove a link, a FIFO or a device, which must not be opened; return whether it was one."""
    is_other = path.is_symlink() or not (path.is_file() or path.is_dir() or not path.exists())
    if is_other:
        path.unlink(missing_ok=True)
    return is_other


def _open_safely(path: str, flags: int) -> int:
    return os.open(path, flags | SAFE_FLAGS, 0o666)
