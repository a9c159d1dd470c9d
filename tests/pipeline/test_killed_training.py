"""A training that was killed (SIGKILL) several times at random moments gives the same bytes as one that never was."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.helpers.builders import ENGLISH, SCRIPTS, STEPS, clean_environment, read_lines
from tests.helpers.span_models import make_encoder, words_of
from tests.helpers.step_client import step_server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on Windows")

HOW = {"n_gpu": -1, "epochs": 1, "min_steps": 100, "lr": 0.001, "ema": 0.95, "accumulate": 2, "batch_size": 2}
SAVED_EVERY = 0.003  # minutes: a short training is then also saved between its evaluations


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """The flags of a training on a tiny dataset."""
    folder = tmp_path_factory.mktemp("data")
    dataset = ENGLISH.write(folder)
    encoder = make_encoder(folder / "encoder", words_of(ENGLISH.rows))
    files = {"train": str(dataset / "train_1000.jsonl"), "labels": str(dataset / "labels.txt")}
    return {**files, "dev": files["train"], "from_pretrained": str(encoder), **HOW}


def results(folder):
    """Return the files of a training, with its log without seconds."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    files.pop("run.log.jsonl")
    log = [{**row, "seconds": None} for row in read_lines(files.pop("train_log.jsonl"))]
    return {name: path.read_bytes() for name, path in files.items()}, log


def kill_and_resume(start, latest, folder, kills):
    """Kill a training within `latest` seconds of its start, as often as given and until it has resumed; let it end.

    `start(moment)` returns whether the training was still running when it was killed; `start(None)` lets it end.
    """
    rng = random.Random(kills)
    met = resumed = 0
    while met < kills or not resumed:
        saved = (folder / "last" / "state.pt").is_file()
        if start(rng.uniform(0, latest)):
            met, resumed = met + 1, resumed + saved
        else:  # it ended before it was killed so often, because the machine was faster than before
            shutil.rmtree(folder)
            met = resumed = 0
    start(None)


def test_a_training_killed_three_times_gives_the_same_bytes(values, tmp_path):
    killed = {**values, "save_dir": str(tmp_path / "killed"), "save_minutes": SAVED_EVERY}
    with step_server() as server:
        seconds = server.run("train", {**values, "save_dir": str(tmp_path / "whole")})

        def start(moment):
            return server.run("train", killed) if moment is None else server.kill("train", killed, moment)

        kill_and_resume(start, 0.2 * seconds, tmp_path / "killed", kills=3)
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


@pytest.mark.slow
def test_a_training_from_the_command_line_killed_ten_times_gives_the_same_bytes(values, tmp_path):
    values = {
        **values,
        "min_steps": 400,
    }  # long enough that most kills come during the training and not during its start

    def start(moment, name="killed", **more):
        flags = [f"--{name}={value}" for name, value in {**values, "save_dir": tmp_path / name, **more}.items()]
        command = [sys.executable, str(SCRIPTS / f"{STEPS['train']}.py"), *flags]
        process = subprocess.Popen(command, env=clean_environment(OMP_NUM_THREADS="1"), stderr=subprocess.DEVNULL)
        try:
            assert process.wait(moment) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True
        return False

    begin = time.monotonic()
    assert not start(None, "whole")
    seconds = time.monotonic() - begin
    kill_and_resume(partial(start, save_minutes=SAVED_EVERY), 0.5 * seconds, tmp_path / "killed", kills=10)
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
