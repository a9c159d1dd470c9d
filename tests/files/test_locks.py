"""Files that one process holds alone."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from utils.files import locks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")


def held(path: Path) -> BinaryIO:
    """Return a file that this process holds alone."""
    file = locks.lock(path)
    assert file is not None
    return file


def test_a_file_that_is_held_cannot_be_held_again_until_it_is_closed(tmp_path):
    with held(tmp_path / "a"):
        assert locks.lock(tmp_path / "a") is None
    with held(tmp_path / "a"):
        pass


def test_who_holds_a_path_is_named_and_nothing_is_left_behind(tmp_path):
    path = tmp_path / "deep" / "a.jsonl"
    with locks.exclusive_lock(path):
        message = rf"a\.jsonl is being written by process {os.getpid()} on .*; wait for it, or stop it"
        with pytest.raises(RuntimeError, match=message), locks.exclusive_lock(path):
            pass
    assert list(path.parent.iterdir()) == []


def test_a_lock_file_that_its_owner_removed_meanwhile_is_made_anew(tmp_path, monkeypatch):
    path = tmp_path / "a"
    hold = locks._hold
    removed: list[Path] = []

    def hold_too_late(file, of):
        if not removed:
            path.unlink()
            removed.append(path)
        return hold(file, of)

    monkeypatch.setattr(locks, "_hold", hold_too_late)
    with held(path) as file:
        assert os.path.samestat(os.fstat(file.fileno()), path.stat())


def test_a_disk_without_locks_is_used_with_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    for _ in range(2):
        with locks.exclusive_lock(tmp_path / "a"):
            pass
    assert caplog.text.count("knows no locks: do not run one step twice at the same time") == 1


def test_a_disk_that_fails_is_not_taken_for_one_without_locks(tmp_path, monkeypatch):
    def fail(file, how):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(locks.fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output error"):
        locks.lock(tmp_path / "a")
