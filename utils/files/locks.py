"""Files that one process holds alone; a lock dies with its owner, however that ends."""

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

try:
    import fcntl
except ModuleNotFoundError:  # Windows: two runs on one file are not kept apart there
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

NO_LOCKS = {
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
}  # file systems without locks, as of some clusters


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Keep other processes from `path` while the block runs, by a file `<path>.lock` that says whose it is.

    Raises RuntimeError that names the process which holds it.
    """
    own = path.with_name(f"{path.name}.lock")
    own.parent.mkdir(parents=True, exist_ok=True)
    file = lock(own)
    if file is None:
        raise RuntimeError(f"{path} is being written by {_owner(own)}; wait for it, or stop it")
    with file:
        file.truncate(0)
        now = datetime.now(timezone.utc).isoformat(" ", timespec="seconds")
        file.write(f"process {os.getpid()} on {platform.node()}, since {now}".encode())
        file.flush()
        try:
            yield
        finally:
            own.unlink(missing_ok=True)


def lock(path: Path) -> BinaryIO | None:
    """Return `path`, made if need be, opened to read and append and held alone; None where another process holds it."""
    while True:
        file = path.open("ab+")
        try:
            if not _hold(file, path):
                file.close()
                return None
            if _stands_at(file, path):
                return file
        except OSError:
            file.close()
            raise
        file.close()  # its last owner removed it between our opening and holding it


def remove_if_free(path: Path) -> None:
    """Remove a file that its owner left behind; one that is still held, or of which that cannot be told, stays."""
    if fcntl is not None and (file := lock(path)) is not None:
        with file:
            path.unlink(missing_ok=True)


def _hold(file: BinaryIO, path: Path) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        _tell_of_no_locks(path.parent)
    return True


def _stands_at(file: BinaryIO, path: Path) -> bool:
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
def _tell_of_no_locks(folder: Path) -> None:
    log.warning("the disk of %s knows no locks: do not run one step twice at the same time", folder)
