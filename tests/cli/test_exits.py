"""The end of scripts: signals, closed output, full and read-only disks, deleted files; and how they continue."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.builders import ENGLISH, SCRIPTS, STEPS, bytes_below, call, clean_environment, read_lines
from utils.cli.exits import _exit_code

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="these signals, pipes and disks do not exist on Windows"
)

# The LLM gives some answers, and then waits until a file exists: a test decides what happens meanwhile, on the slowest
# machine, too.
WAITING = """
import sys, time
from pathlib import Path
sys.path.insert(0, {scripts!r})
import s1_predict_data
from utils.llm.backends import scripted

whole = scripted.ScriptedLLM.generate

def waiting(self, requests):
    for number, answer in enumerate(whole(self, requests)):
        while number == {answers} and not Path({gate!r}).exists():
            time.sleep(0.01)
        yield answer

scripted.ScriptedLLM.generate = waiting
s1_predict_data.main()
"""
PATIENCE = 600  # seconds for what happens soon, but later on a busy machine


class Work:
    """A dataset in a folder, and the words that run s1 on it."""

    def __init__(self, folder):
        self.dataset = ENGLISH.write(folder)
        self.results = self.dataset / "GLM4"
        self.result = self.results / "entity_train_1000.jsonl"
        self.journal = self.results / "entity_train_1000.jsonl.journal.jsonl"
        self.recording = ENGLISH.record(folder / "answers.jsonl")
        self.gate = folder.with_name(f"{folder.name} gate")
        self.values = {"file_dir": folder, "file_name": "tiny"}
        self.llm = {**self.values, "backend": "scripted", "model_from_pretrained": self.recording}

    def words(self, values=None):
        return [f"--{name}={value}" for name, value in (values or self.llm).items()]

    def program(self, answers):
        """Return a program that runs s1 with an LLM that waits after this number of answers."""
        return WAITING.format(scripts=str(SCRIPTS), answers=answers, gate=str(self.gate))

    def start(self, answers):
        """Start s1 with an LLM that waits after this number of answers; return once they are in the journal."""
        process = start(sys.executable, "-c", self.program(answers), *self.words())
        self.wait_for_answers(answers, process)
        return process

    def go_on(self):
        """Let the LLM give the other answers."""
        self.gate.touch()

    def wait_for_answers(self, number, process):
        """Return once the journal contains this number of answers."""
        deadline = time.monotonic() + PATIENCE
        while not (self.journal.is_file() and self.journal.read_bytes().count(b"\n") >= number):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def answered(self):
        return self.journal.read_bytes().count(b"\n")


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


def start(*words, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    return subprocess.Popen(list(map(str, words)), env=clean_environment(PYTHONUNBUFFERED=""), **{**pipes, **options})


def run(script, *words, **options):
    """Run a script; return its exit code and the lines of its error output."""
    with start(sys.executable, SCRIPTS / f"{script}.py", *words, **options) as process:
        output = process.communicate(timeout=PATIENCE)[1] or ""
    return process.returncode, output.strip().splitlines()


def undisturbed(folder):
    """Return the results of s1 in another folder, from a run without interruption."""
    other = Work(folder / "undisturbed")
    call("s1", **other.llm)
    return bytes_below(other.results)


# --- stopped


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal():
    """Let child processes start with default signal handlers: tests under nohup would pass on ignored signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal was closed"),
    ],
)
def test_a_step_stopped_by_a_signal_says_how_to_continue_and_continues(work, tmp_path, number, code, words):
    with work.start(2) as process:
        process.send_signal(number)
        output = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == code
    assert output.strip().splitlines()[-1].endswith(f"{words}; run the same command again to continue")
    assert "Traceback" not in output
    there = work.answered()
    assert there == 2
    assert not work.result.exists()
    call("s1", **work.llm)
    lines = read_lines(work.results / "run.log.jsonl")
    assert [line["status"] for line in lines] == ["broken off", "done"]
    assert lines[0]["answers"] in (there - 1, there)  # the last may have been on disk, and not counted yet
    assert lines[1]["answers"] == 8 - there
    assert bytes_below(work.results) == undisturbed(tmp_path)


def test_a_step_started_with_nohup_runs_on_when_its_terminal_is_closed(work):
    with work.start(1) as first:  # only to know what ends it
        first.send_signal(signal.SIGHUP)
        assert first.wait(timeout=PATIENCE) == 129
    with start("nohup", sys.executable, "-c", work.program(3), *work.words()) as process:
        work.wait_for_answers(3, process)
        process.send_signal(signal.SIGHUP)
        work.go_on()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert work.answered() == 8


def test_a_second_run_of_a_step_stops_and_names_the_process_of_the_first(work):
    with work.start(1) as first:
        code, output = run(STEPS["s1"], *work.words())
        work.go_on()
        first.communicate(timeout=PATIENCE)
    assert code == 1
    assert f"is being written by process {first.pid} on " in output[-1]
    assert first.returncode == 0
    assert work.answered() == 8
    assert not list(work.results.glob("*.lock"))


def test_a_lock_ends_with_the_process_that_held_it(work):
    with work.start(1) as process:
        process.kill()
    assert list(work.results.glob("*.lock"))
    call("s1", **work.llm)
    assert work.answered() == 8
    assert not list(work.results.glob("*.lock"))


# --- names and kinds of files


def test_a_file_in_the_place_of_a_folder_is_bad_input_with_a_remedy(work):
    work.results.write_text("mine", encoding="utf-8")
    code, output = run(STEPS["s1"], *work.words())
    assert code == 2
    assert output[-1].endswith("GLM4 is a file, but it must be a folder: rename or delete it")
    assert work.results.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("flag", ["file_name", "save_type_name"])
def test_a_name_that_is_too_long_is_bad_input(work, flag):
    code, output = run(STEPS["s1"], *work.words(work.llm | {flag: "长" * 80}))
    assert code == 2
    assert f"--{flag}: '长" in output[-1]
    assert "is too long: use at most 200 bytes" in output[-1]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENAMETOOLONG, "use shorter names"),
        (errno.EEXIST, "a file is in the place of a folder"),
        (errno.ENOTDIR, "a file is in the place of a folder"),
        (errno.EISDIR, "a folder is in the place of a file"),
        (errno.ELOOP, "links point to each other"),
    ],
)
def test_errors_of_names_are_bad_input_with_a_remedy(number, remedy, caplog):
    def fail():
        raise OSError(number, os.strerror(number), "data/x")

    assert _exit_code(fail, "s1.py", debug=False) == 2
    assert remedy in caplog.messages[-1]


# --- closed output


@pytest.mark.parametrize("script", sorted(path.stem for path in SCRIPTS.glob("[!_]*.py")))
def test_a_closed_pipe_ends_a_script_without_a_message(script):
    reading, writing = os.pipe()
    os.close(reading)
    code, output = run(script, "--help", stdout=writing)
    os.close(writing)
    assert code == 141
    assert output == []


def test_a_report_into_a_pipe_that_is_closed_early_shows_no_error(work):
    call("s1", **work.llm)
    command = f"{sys.executable} {SCRIPTS / 'report.py'} {' '.join(work.words(work.values))} | head -n 1"
    with start("bash", "-c", command) as process:
        shown, output = process.communicate(timeout=PATIENCE)
    assert shown.startswith("dataset tiny, save_type_name GLM4, LLM answers.jsonl, size 1000 (100 % of")
    assert output == ""


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "2>&-"])
def test_a_step_without_output_streams_writes_its_result(work, closed):
    command = f"{sys.executable} {SCRIPTS / STEPS['s1']}.py {' '.join(work.words())} {closed}"
    with start("bash", "-c", command) as process:
        output = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0
    assert "Traceback" not in output
    assert len(read_lines(work.result)) == 8


# --- disks


@pytest.fixture
def disk(tmp_path):
    """A disk of one mebibyte, and a function that mounts it again with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
        )
        return done.returncode == 0

    if shutil.which("mount") is None or not mount("size=1m"):
        pytest.skip("a small disk cannot be mounted here: this needs root rights on Linux")
    yield folder, lambda options: mount(f"remount,{options}")
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_reported_and_the_step_continues_when_there_is_space(disk, tmp_path):
    folder, _ = disk
    work = Work(folder)
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    with work.start(2) as process:
        with filler.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)) == 1 << 16 and filler.stat().st_size < free:
                pass
        work.go_on()
        output = process.communicate(timeout=PATIENCE)[1].strip().splitlines()
    assert process.returncode in (0, 1)
    if process.returncode == 0:
        pytest.fail("the disk was not full")
    assert "No space left on device" in output[-1]
    assert "the disk is full: free some space, then run the same command again to continue" in output[-1]
    assert not work.result.exists()
    filler.unlink()
    call("s1", **work.llm)
    assert bytes_below(work.results) == undisturbed(tmp_path)


@pytest.mark.parametrize("step", ["s1", "s4"])
def test_a_read_only_disk_is_reported_in_one_line(disk, step):
    folder, remount = disk
    work = Work(folder)
    call("s1", **{**work.llm, "mode": "pos"})
    before = bytes_below(folder)
    assert remount("ro")
    code, output = run(STEPS[step], *work.words(work.llm if step == "s1" else work.values))
    assert code == 1
    errors = [line for line in output if "error:" in line]
    assert len(errors) == 1
    assert "Read-only file system" in errors[0]
    assert "copy the dataset to a folder on another disk" in errors[0]
    assert not any("Traceback" in line for line in output)
    assert bytes_below(folder) == before


def test_a_file_at_its_size_limit_is_reported_and_the_step_continues_later(work, tmp_path):
    command = f"ulimit -f 1; exec {sys.executable} {SCRIPTS / STEPS['s1']}.py {' '.join(work.words())}"
    with start("bash", "-c", command) as process:
        output = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 1
    assert "File too large" in output.strip().splitlines()[-1]
    assert "Traceback" not in output
    assert not work.result.exists()
    call("s1", **work.llm)
    assert bytes_below(work.results) == undisturbed(tmp_path)


# --- changes during the run


@pytest.mark.parametrize("what", ["the journal", "the results", "the sentences"])
def test_files_deleted_during_a_run_are_written_again_or_were_read_before(work, tmp_path, what):
    with work.start(3) as process:
        if what == "the journal":
            work.journal.unlink()
        elif what == "the results":
            shutil.rmtree(work.results)
        else:
            (work.dataset / "train_1000.jsonl").unlink()
        work.go_on()
        output = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, output
    assert (what == "the sentences") or "was deleted during the run: it is written again" in output
    assert bytes_below(work.results) == undisturbed(tmp_path)


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_a_clock_that_is_set_back_does_not_change_the_result(work, tmp_path):
    with work.start(3) as process:
        process.kill()
    words = [sys.executable, SCRIPTS / f"{STEPS['s1']}.py", *work.words()]
    with start("faketime", "-f", "-3650d", *words) as process:
        output = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 0, output
    assert bytes_below(work.results) == undisturbed(tmp_path)
    line = read_lines(work.results / "run.log.jsonl")[-1]
    assert line["started"] < "2020"
    assert line["seconds"] >= 0
