"""Running a script: one-line errors, exit codes, the notebook form, and the last line."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest

from utils.cli.script import report, start

NEEDED = ("--file_name=weibo", "--model_from_pretrained=m")


# --- in a notebook


def test_in_a_notebook_an_error_of_a_step_is_raised(parser):
    def run(args):
        raise FileNotFoundError("labels.txt is missing")

    with pytest.raises(FileNotFoundError, match=r"labels\.txt is missing"):
        start(parser, run, cmd_args=False, values={"file_name": "w", "model_from_pretrained": "m"})


# --- errors on the command line


@pytest.fixture
def end(parser, monkeypatch, caplog):
    """Run a step that raises an error on the command line; return its exit code and messages."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run_to_its_end(error, *given):
        def step(args):
            if error is not None:
                raise error

        monkeypatch.setattr(sys, "argv", ["s1_predict_data.py", *given])
        try:
            start(parser, step, cmd_args=True, values={})
        except SystemExit as ending:
            return ending.code, [record.getMessage() for record in caplog.records]
        return 0, [record.getMessage() for record in caplog.records]

    yield run_to_its_end
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_successful_step_exits_with_0_and_without_a_message(end):
    assert end(None, *NEEDED) == (0, [])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("train_1000.jsonl:17: broken"), 2),
        (FileNotFoundError("run s1 first"), 2),
        (NotADirectoryError("x"), 2),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), 2),
        (PermissionError(13, "Permission denied", "x"), 1),
        (OSError(28, "No space left on device"), 1),
        (ImportError("pip install xllamacpp"), 1),
        (RuntimeError("llama.cpp refused"), 1),
        (MemoryError(), 1),
        (ConnectionError("refused"), 1),
    ],
)
def test_an_error_is_one_line_without_its_type_and_an_exit_code(end, error, code):
    found, lines = end(error, *NEEDED)
    assert found == code
    assert len(lines) == 1
    assert re.match(r"\S+: error: \S", lines[0])
    assert type(error).__name__ not in lines[0]
    assert "\n" not in lines[0]


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (
            OSError(28, "No space left on device", "a.jsonl"),
            "error: a.jsonl: No space left on device; the disk is full: free some space",
        ),
        (
            PermissionError(13, "Permission denied", "a.jsonl"),
            "error: a.jsonl: Permission denied; ask the owner for permission",
        ),
        (
            FileNotFoundError(2, "No such file or directory", "a.jsonl"),
            "error: a.jsonl: No such file or directory; check the path; if it was deleted",
        ),
        (
            OSError(30, "Read-only file system", "a.jsonl"),
            "error: a.jsonl: Read-only file system; the disk is read-only",
        ),
    ],
)
def test_an_error_of_the_operating_system_names_the_file_and_a_remedy(end, error, remedy):
    assert remedy in end(error, *NEEDED)[1][0]


def test_a_message_of_several_lines_is_joined_to_one(end):
    assert end(ValueError("one\n  two\n\nthree"), *NEEDED)[1][0].endswith(": error: one two three")


def test_an_error_without_a_message_mentions_debug(end):
    assert "--debug" in end(RuntimeError(), *NEEDED)[1][0]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "error: out of memory: "),
        (ModuleNotFoundError("No module named 'tqdm'", name="tqdm"), "error: the package tqdm is missing: install"),
        (ImportError("--backend=openai needs it: pip install openai"), "error: --backend=openai needs it: pip install"),
    ],
)
def test_an_error_of_python_says_what_to_do(end, error, message):
    assert message in end(error, *NEEDED)[1][0]


def test_debug_shows_the_traceback(end):
    with pytest.raises(ValueError, match="broken"):
        end(ValueError("broken"), *NEEDED, "--debug")


def test_an_interrupted_step_exits_with_130_and_says_how_to_continue(end):
    code, lines = end(KeyboardInterrupt(), *NEEDED)
    assert code == 130
    assert "run the same command again to continue" in lines[0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([*NEEDED, "--mode=nouns"], "--mode: invalid choice: 'nouns'"),
        ([*NEEDED, "--batch_size=many"], "--batch_size: 'many' is not a whole number"),
        ([*NEEDED, "--btach_size=3"], "unrecognized arguments: --btach_size=3"),
        ([*NEEDED, "--batchsize=3"], "unrecognized arguments: --batchsize=3"),
        ([*NEEDED, "--is_syn=1"], "unrecognized arguments: --is_syn=1"),
        (["--model_from_pretrained=m"], "required: --file_name"),
        (["--file_name=weibo"], "required: --model_from_pretrained"),
        ([*NEEDED, "--n_gpu="], "--n_gpu: '' must be a GPU index"),
    ],
)
def test_a_flag_that_cannot_be_used_is_one_line_and_exit_code_2(end, given, message):
    code, lines = end(None, *given)
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]


# --- the last line


@pytest.mark.parametrize(("advice", "level"), [(None, "INFO"), ("try a larger model", "WARNING")])
def test_the_last_line_is_a_warning_if_there_is_advice(caplog, advice, level):
    caplog.set_level("INFO")
    report("labelled 3 sentences", Path("a.jsonl"), advice=advice)
    assert [record.levelname for record in caplog.records] == [level]
    assert "labelled 3 sentences -> a.jsonl" in caplog.text
    assert (advice or "") in caplog.text
