"""s1 with a real LLM, killed ten times: the result is complete, without repeats, and has nearly the same answers.

Set TEST_GGUF to the .gguf file of a small chat model to run it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.builders import ROOT, SCRIPTS, clean_environment, read_lines, write_rows

GGUF = os.environ.get("TEST_GGUF", "")
KILLS, SENTENCES = 10, 30
MIN_EQUAL = 0.8  # share of equal answers: llama.cpp rounds differently for other sequences in a batch
DEMO = ROOT / "data" / "few_shot" / "demo"


def dataset(folder):
    """Write the first sentences of the dataset `demo`; return the journal and the result of s1."""
    write_rows(folder / "demo" / "train_1000.jsonl", read_lines(DEMO / "train_1000.jsonl")[:SENTENCES])
    (folder / "demo" / "labels.txt").write_bytes((DEMO / "labels.txt").read_bytes())
    result = folder / "demo" / "GLM4" / "entity_train_1000.jsonl"
    return result.with_name(f"{result.name}.journal.jsonl"), result


def start(folder):
    words = [f"--file_dir={folder}", "--file_name=demo", f"--model_from_pretrained={GGUF}", "--n_gpu=-1"]
    command = [sys.executable, str(SCRIPTS / "s1_predict_data.py"), *words]
    return subprocess.Popen(command, env=clean_environment(), stderr=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.skipif(not Path(GGUF).is_file(), reason="TEST_GGUF is not the .gguf file of a chat model")
def test_s1_with_a_real_llm_killed_ten_times_is_complete_without_repeats(tmp_path):
    _, undisturbed = dataset(tmp_path / "undisturbed")
    begin = time.monotonic()
    assert start(tmp_path / "undisturbed").wait(timeout=900) == 0
    seconds = time.monotonic() - begin
    journal, result = dataset(tmp_path / "killed")
    rng = random.Random(10)
    kills = asked = 0
    while kills < KILLS:
        process = start(tmp_path / "killed")
        time.sleep(rng.uniform(0, 2.5 * seconds / KILLS))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        before, asked = asked, journal.read_bytes().count(b"\n") if journal.is_file() else 0
        assert asked >= before
    assert start(tmp_path / "killed").wait(timeout=900) == 0
    rows = read_lines(result)
    assert [row["id"] for row in rows] == [str(number) for number in range(1, SENTENCES + 1)]
    assert "skipped" not in {row["status"] for row in rows}
    entries = read_lines(journal)
    assert sorted(int(entry["id"]) for entry in entries) == list(range(1, SENTENCES + 1))
    pairs = zip(rows, read_lines(undisturbed), strict=True)
    share = sum(row["answers"] == other["answers"] for row, other in pairs) / SENTENCES
    sys.stdout.write(f"equal answers: {share:.0%}\n")  # shown by pytest -s
    assert share >= MIN_EQUAL
