"""The notebook form: the cell in docs/steps.md, messages as ordinary output, and errors as one line."""

from __future__ import annotations

import logging
import re

import pytest

from tests.helpers.builders import ENGLISH, ROOT, SCRIPTS, run_pasted
from utils.cli.exits import one_line_errors
from utils.cli.script import NotebookHandler, start

PAGES = [ROOT / "docs" / name for name in ("steps.md", "steps.zh-CN.md")]


def cell_of(page):
    """Return the cell that a page shows."""
    (cell,) = (block for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.S) if "main(" in block)
    return cell


def shown_line(error):
    """Return what IPython shows of an error."""
    return error._render_traceback_()


def test_both_pages_show_the_same_cell():
    assert cell_of(PAGES[0]) == cell_of(PAGES[1])


@pytest.mark.parametrize("folder", [ROOT, SCRIPTS, None], ids=["root", "syn_pipelines", "elsewhere"])
def test_the_cell_of_the_page_runs_in_a_kernel_started_anywhere(tmp_path, folder):
    ENGLISH.write(tmp_path)
    recording = ENGLISH.record(tmp_path / "answers.jsonl")
    cell = cell_of(PAGES[0])
    values = f'file_dir={str(tmp_path)!r}, file_name="tiny", backend="scripted"'
    for old, new in {
        '"/path/to/the/repository/syn_pipelines"': repr(str(SCRIPTS)),
        'file_name="weibo"': values,
        '"/models/glm-4-9b-chat/"': repr(str(recording)),
    }.items():
        assert old in cell
        cell = cell.replace(old, new)
    done = run_pasted(cell, cwd=folder or tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("annotated 8 sentences: ")
    assert done.stderr == ""


def test_only_warnings_go_to_the_error_stream(capsys):
    log = logging.Logger("notebook")
    log.addHandler(NotebookHandler())
    log.info("annotated 8 sentences")
    log.warning("most answers are unreadable")
    assert capsys.readouterr() == ("annotated 8 sentences\n", "most answers are unreadable\n")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("labels.txt:\n  broken"), "error: labels.txt: broken"),
        (FileNotFoundError("run s1 first"), "error: run s1 first"),
        (
            OSError(28, "No space left on device", "a.jsonl"),
            "error: a.jsonl: No space left on device; the disk is full",
        ),
        (RuntimeError("llama.cpp refused"), "error: llama.cpp refused"),
        (KeyboardInterrupt(), "interrupted; run the same command again to continue"),
    ],
)
def test_an_error_is_raised_and_shown_as_one_line(error, line):
    with pytest.raises(type(error)) as raised, one_line_errors(debug=False):
        raise error
    (shown,) = shown_line(raised.value)
    assert shown.startswith(line)
    assert "\n" not in shown


def test_a_missing_value_is_named_in_one_line(parser):
    with pytest.raises(ValueError, match="required") as raised:
        start(parser, lambda args: None, cmd_args=False, values={"file_name": "weibo"})
    assert shown_line(raised.value) == [
        "error: the following arguments are required: --model_from_pretrained; "
        "write main(cmd_args=False, model_from_pretrained=…)"
    ]


def test_a_value_with_a_typing_error_is_named_with_the_right_one(parser):
    with pytest.raises(ValueError, match=r"'filename' is not .*: did you mean file_name\?"):
        start(parser, lambda args: None, cmd_args=False, values={"filename": "weibo"})


def test_debug_and_errors_of_the_program_keep_their_traceback(parser):
    def run(args):
        raise KeyError("x")

    given = {"file_name": "weibo", "model_from_pretrained": "m"}
    with pytest.raises(KeyError) as raised:
        start(parser, run, cmd_args=False, values=given)
    assert not hasattr(raised.value, "_render_traceback_")
    with pytest.raises(ValueError, match="invalid choice") as refused:
        start(parser, run, cmd_args=False, values={**given, "mode": "nouns", "debug": True})
    assert not hasattr(refused.value, "_render_traceback_")


def test_ipython_shows_an_error_as_one_line(parser, capsys):
    shell_of = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    shell = shell_of()
    shell.user_ns["fail"] = lambda: start(parser, lambda args: None, cmd_args=False, values={})
    shell.run_cell("fail()")
    shown = capsys.readouterr()
    assert (shown.out + shown.err).strip().splitlines() == [
        "error: the following arguments are required: --file_name, --model_from_pretrained; "
        "write main(cmd_args=False, file_name=…, model_from_pretrained=…)"
    ]
