"""Progress: a bar on a terminal, and elsewhere a few lines in the log."""

from __future__ import annotations

import io
import logging
import os
import sys

import pytest

from utils.compute import progress
from utils.compute.progress import Progress, clock, quiet_other_bars, tracked


@pytest.fixture
def now(monkeypatch):
    """The time in seconds, in a list of one element."""
    seconds = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: seconds[0])
    return seconds


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run_for(now, seconds, total=100):
    """Finish 100 units, which take this time together."""
    with Progress("labelling", total=total, unit="sentence") as bar:
        for _ in range(total):
            now[0] += seconds / total
            bar.advance()


def test_a_line_counts_units_and_names_note_and_time_left(now, caplog):
    caplog.set_level(logging.INFO)
    with Progress("training", total=400, done=200, unit="step") as bar:
        now[0] += 30
        bar.start()
        for _ in range(40):
            now[0] += 0.5
            bar.advance(note="loss 0.031")
    assert caplog.messages == ["training: 240 of 400 steps (60 %), 00:20, loss 0.031, 01:20 left"]


def test_the_time_left_is_estimated_from_the_work_of_the_units(now, caplog):
    caplog.set_level(logging.INFO)
    with Progress("answers", total=2, unit="answer", work=750) as bar:
        now[0] += 10
        bar.advance(work=100, note="30 tokens/s")
    assert caplog.messages == ["answers: 1 of 2 answers (50 %), 00:10, 30 tokens/s, 01:05 left"]


@pytest.mark.parametrize(("seconds", "lines"), [(5, 0), (50, 5), (600, 10), (6000, 100)])
def test_lines_come_at_most_every_ten_seconds_and_every_ten_per_cent(now, caplog, seconds, lines):
    caplog.set_level(logging.INFO)
    run_for(now, seconds)
    assert len(caplog.messages) in (lines, lines - 1)  # the last unit may come just before the time


def test_in_a_file_there_is_no_bar(now, capfd, caplog):
    caplog.set_level(logging.INFO)
    run_for(now, 600)
    assert "\r" not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_there_is_a_bar_and_messages_do_not_break_it(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("labelling", total=2, unit="sentence") as bar:
        bar.advance(note="30 tokens/s")
        bar.advance()
    assert "labelling: " in terminal.getvalue()
    assert "2/2" in terminal.getvalue()
    assert "\r" in terminal.getvalue()
    assert caplog.messages == []


def test_tracked_items_are_counted_unless_they_are_hidden(now, caplog):
    caplog.set_level(logging.INFO)

    def slow():
        for number in range(4):
            now[0] += 15
            yield number

    assert list(tracked(slow(), "predicting", total=4, unit="batch", hidden=True)) == [0, 1, 2, 3]
    assert caplog.messages == []
    assert list(tracked(slow(), "predicting", total=4, unit="batch")) == [0, 1, 2, 3]
    assert caplog.messages[0] == "predicting: 1 of 4 batches (25 %), 00:15, 00:45 left"


def test_no_step_of_a_longer_work_is_shown_after_an_error(now, caplog):
    caplog.set_level(logging.INFO)
    with pytest.raises(RuntimeError), Progress("labelling", total=3, unit="sentence"):
        raise RuntimeError
    assert caplog.messages == []


@pytest.mark.parametrize(("seconds", "text"), [(0, "00:00"), (65, "01:05"), (3600, "1:00:00"), (90061, "25:01:01")])
def test_a_time_is_written_as_on_a_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(("stream", "value"), [(io.StringIO(), "1"), (Terminal(), None)])
def test_bars_of_other_libraries_are_off_where_there_is_no_terminal(monkeypatch, stream, value):
    monkeypatch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)
    monkeypatch.setattr(sys, "stderr", stream)
    quiet_other_bars()
    assert os.environ.pop("HF_HUB_DISABLE_PROGRESS_BARS", None) == value
