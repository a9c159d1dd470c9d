"""Links, FIFOs and devices in a dataset from others: nothing is written through them, and nothing hangs."""

from __future__ import annotations

import os
import sys

import pytest

from utils.files.append_only import AppendOnlyFile
from utils.files.jsonl import replace_file, write_json
from utils.files.locks import exclusive_lock, try_lock
from utils.files.own_files import check_folders
from utils.files.run_log import logged_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no FIFOs, and links need rights")

IS_LINK = "is a link, and nothing is written through it"
NOT_REGULAR = "is a FIFO, a socket or a device"


@pytest.fixture
def victim(tmp_path):
    """A file of the user, outside the folder in which files are written."""
    path = tmp_path / "home" / "letters.txt"
    path.parent.mkdir()
    path.write_text("precious", encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path):
    (tmp_path / "dataset").mkdir()
    return tmp_path / "dataset" / "a.jsonl"


def lock(path):
    with exclusive_lock(path.with_name("a.jsonl")):
        pass


def append(path):
    with AppendOnlyFile(path) as file:
        file.write(b"x\n")


def log_run(path):
    with logged_run(path, "s1"):
        pytest.fail("the step has begun")


WRITERS = {"a.jsonl.lock": lock, "a.jsonl.journal.jsonl": append, "run.log.jsonl": log_run, "a.partial": try_lock}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("is_missing", [False, True], ids=["existing", "dangling"])
def test_nothing_is_written_through_a_link(path, victim, name, is_missing):
    target = victim.with_name("new.txt") if is_missing else victim
    path.with_name(name).symlink_to(target)
    with pytest.raises(ValueError, match=IS_LINK):
        WRITERS[name](path.with_name(name))
    assert [(file.name, file.read_bytes()) for file in victim.parent.iterdir()] == [("letters.txt", b"precious")]


@pytest.mark.parametrize("name", WRITERS)
def test_a_hard_link_to_another_file_is_refused(path, victim, name):
    os.link(victim, path.with_name(name))
    with pytest.raises(ValueError, match="is also a file of another name"):
        WRITERS[name](path.with_name(name))
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("name", WRITERS)
def test_a_fifo_is_refused_and_does_not_hang(path, name):
    os.mkfifo(path.with_name(name))
    with pytest.raises(ValueError, match=NOT_REGULAR):
        WRITERS[name](path.with_name(name))


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_in_the_place_of_a_file_is_refused(path, name):
    path.with_name(name).mkdir()
    with pytest.raises(ValueError, match="is a folder, but a file is to be written there: rename or delete"):
        WRITERS[name](path.with_name(name))


@pytest.mark.parametrize("name", WRITERS)
def test_a_link_to_a_device_is_refused(path, name):
    path.with_name(name).symlink_to("/dev/null")
    with pytest.raises(ValueError, match=IS_LINK):
        WRITERS[name](path.with_name(name))


def test_a_result_that_is_a_link_is_replaced_and_its_target_kept(path, victim):
    path.symlink_to(victim)
    write_json(path, {"a": 1})
    assert not path.is_symlink()
    assert victim.read_bytes() == b"precious"


def test_links_called_like_a_killed_run_left_them_are_removed_and_not_followed(path, victim):
    for number in (1, os.getpid()):
        path.with_name(f".a.jsonl.{number}.partial").symlink_to(victim)
    os.mkfifo(path.with_name(".a.jsonl.2.partial"))
    write_json(path, {"a": 1})
    assert [file.name for file in path.parent.iterdir()] == ["a.jsonl"]
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("is_link", [False, True])
def test_a_fifo_is_not_replaced(path, is_link):
    """As with --output=/dev/null or a process substitution of bash."""
    os.mkfifo(path.with_name("fifo"))
    if is_link:
        path.symlink_to(path.with_name("fifo"))
    with pytest.raises(ValueError, match=NOT_REGULAR), replace_file(path if is_link else path.with_name("fifo")):
        pytest.fail("a file was opened")
    assert path.with_name("fifo").is_fifo()


def test_a_link_to_a_folder_may_stay_inside(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "out").symlink_to(tmp_path)
    check_folders([tmp_path / "a" / "link"], inside=tmp_path / "a")
    with pytest.raises(ValueError, match=r"out is a link to a folder outside .*a: replace it with a real folder"):
        check_folders([tmp_path / "a" / "out"], inside=tmp_path / "a")
