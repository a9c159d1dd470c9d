"""A dataset full of links: no step changes, creates or waits for a file outside the dataset."""

from __future__ import annotations

import os
import sys

import doctor
import pytest

from tests.helpers.builders import ENGLISH, bytes_below, call
from tests.helpers.workspace import Workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no FIFOs, and links need rights")

RESULT = "entity_train_1000.jsonl"
IN_PLACE = [f"{RESULT}.journal.jsonl.lock", f"{RESULT}.journal.jsonl", "run.log.jsonl"]


@pytest.fixture
def work(tmp_path):
    return Workspace(tmp_path, ENGLISH)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "letters.txt").write_bytes(b"first\nlast line")
    return folder


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("target", ["letters.txt", "new.txt"])
def test_step_1_refuses_a_link_before_it_asks_anything(work, home, name, target):
    work.results.mkdir()
    (work.results / name).symlink_to(home / target)
    with pytest.raises(ValueError, match=rf"{name} is a link, and nothing is written through it: delete it"):
        call("s1", **work.llm)
    assert bytes_below(home) == {"letters.txt": b"first\nlast line"}


@pytest.mark.parametrize("name", IN_PLACE)
def test_step_1_does_not_wait_for_a_fifo(work, name):
    work.results.mkdir()
    os.mkfifo(work.results / name)
    with pytest.raises(ValueError, match=rf"{name} is a FIFO, a socket or a device"):
        call("s1", **work.llm)


def test_no_step_writes_through_a_link_in_the_place_of_its_result(work, home):
    work.annotate()
    work.merge()
    before = bytes_below(work.results)
    for number, name in enumerate(before):
        if "journal" not in name:
            path, target = work.results / name, home / str(number)
            path.rename(target)
            path.symlink_to(target)
    there = bytes_below(home)
    work.annotate()
    work.merge()
    assert bytes_below(home) == there
    assert bytes_below(work.results) == before


def test_no_picture_is_written_into_a_folder_outside_of_the_dataset(work, home):
    call("s1", **work.llm)
    (work.results / "pictures").symlink_to(home)
    with pytest.raises(ValueError, match="pictures is a link to a folder outside the dataset"):
        call("report", **work.data, models=work.folder, pictures=True)
    assert bytes_below(home) == {"letters.txt": b"first\nlast line"}


def test_the_doctors_report_replaces_a_link(work, home, monkeypatch):
    monkeypatch.chdir(work.dataset)
    (work.dataset / "doctor-report.txt").symlink_to(home / "letters.txt")
    doctor.main(cmd_args=False, **work.data, debug=True)
    assert (work.dataset / "doctor-report.txt").read_text(encoding="utf-8").startswith("version ")
    assert bytes_below(home) == {"letters.txt": b"first\nlast line"}


def test_convert_does_not_wait_for_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(FileNotFoundError, match=r"a\.jsonl is missing: --input must name a file or a folder"):
        call("convert", input=tmp_path / "a.jsonl", to="bio", output=tmp_path / "b.bio")
