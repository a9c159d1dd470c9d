"""Locks on files."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from utils.files import locks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")


def locked(path: Path) -> BinaryIO:
    """Return a file that is locked by this process."""
    file = locks.try_lock(path)
    assert file is not None
    return file


def test_a_locked_file_cannot_be_locked_again_until_it_is_closed(tmp_path):
    with locked(tmp_path / "a"):
        assert locks.try_lock(tmp_path / "a") is None
    with locked(tmp_path / "a"):
        pass


def test_the_owner_of_a_lock_is_named_and_the_lock_file_is_removed(tmp_path):
    path = tmp_path / "deep" / "a.jsonl"
    with locks.exclusive_lock(path):
        message = rf"a\.jsonl is being written by process {os.getpid()} on .*; wait for it, or stop it"
        with pytest.raises(RuntimeError, match=message), locks.exclusive_lock(path):
            pass
    assert list(path.parent.iterdir()) == []


def test_a_lock_file_that_its_owner_removes_meanwhile_is_created_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    lock = locks._lock
    removed: list[Path] = []

    def lock_too_late(file, of):
        if not removed:
            path.unlink()
            removed.append(path)
        return lock(file, of)

    monkeypatch.setattr(locks, "_lock", lock_too_late)
    with locked(path) as file:
        assert os.path.samestat(os.fstat(file.fileno()), path.stat())


def test_a_file_system_without_locks_is_used_with_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    for _ in range(2):
        with locks.exclusive_lock(tmp_path / "a"):
            pass
    assert caplog.text.count("has no locks: do not run the same step twice at the same time") == 1


def test_another_error_of_the_file_system_is_raised(tmp_path, monkeypatch):
    def fail(file, how):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(locks.fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output error"):
        locks.try_lock(tmp_path / "a")
