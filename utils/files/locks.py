"""Locks on files; a lock ends with the process that holds it, even if that is killed."""

from __future__ import annotations

import errno
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import BinaryIO

from utils.files.own_files import open_own_file, remove_other_kind

try:
    import fcntl
except ModuleNotFoundError:  # Windows: two runs can write the same file
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # errors of file systems without locks, as on some clusters


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Lock `path` against other processes while the block runs; the file `<path>.lock` names the owner.

    Raises RuntimeError with the owner if another process holds the lock.
    """
    lock_file = path.with_name(f"{path.name}.lock")
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    file = try_lock(lock_file)
    if file is None:
        raise RuntimeError(f"{path} is being written by {_owner(lock_file)}; wait for it, or stop it")
    with file:
        file.truncate(0)
        now = datetime.now(timezone.utc).isoformat(" ", timespec="seconds")
        file.write(f"process {os.getpid()} on {platform.node()}, since {now}".encode())
        file.flush()
        try:
            yield
        finally:
            lock_file.unlink(missing_ok=True)


def try_lock(path: Path) -> BinaryIO | None:
    """Return the file `path`, locked and opened for reading and appending; None if another process holds the lock.

    The file is created if it is missing. Raises ValueError for a link, a FIFO or a device.
    """
    while True:
        file = open_own_file(path, "ab+")
        try:
            if not _lock(file, path):
                file.close()
                return None
            if _is_at(file, path):
                return file
        except OSError:
            file.close()
            raise
        file.close()  # the last owner deleted it after it was opened here


def remove_if_unlocked(path: Path) -> None:
    """Remove a file that a killed process left; without locks (Windows), keep it."""
    if remove_other_kind(path):
        return
    if fcntl is not None and (file := try_lock(path)) is not None:
        with file:
            path.unlink(missing_ok=True)


def _lock(file: BinaryIO, path: Path) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        _warn_about_missing_locks(path.parent)
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Return whether `path` is still the open `file`."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except FileNotFoundError:
        return "another process"


@cache
def _warn_about_missing_locks(folder: Path) -> None:
    log.warning("the file system of %s has no locks: do not run the same step twice at the same time", folder)
