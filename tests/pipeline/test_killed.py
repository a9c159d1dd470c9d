"""Steps killed (SIGKILL) at random moments: no answer is lost or asked twice, and the results have the same bytes."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest

from tests.helpers.builders import ENGLISH, bytes_below, read_lines
from tests.helpers.span_models import make_encoder, make_model, words_of
from tests.helpers.step_client import step_server

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked on Windows")

BATCH = 3
SECONDS = 0.03  # of the LLM for a batch
LAST_MOMENT = 0.95  # of a step's duration: later kills would mostly come after the step's end
SIZES = {"250": 2, "500": 4, "1000": 8}


class Pipeline:
    """All steps on a tiny dataset, each run in a process that can be killed."""

    def __init__(self, folder, server, models):
        self.folder = folder
        self.server = server
        self.dataset = ENGLISH.write(folder)
        self.asked = folder / "asked.txt"
        data = {"file_dir": str(folder), "file_name": "tiny"}
        llm = {
            **data,
            "backend": "scripted",
            "batch_size": BATCH,
            "model_from_pretrained": str(models / "answers.jsonl"),
        }
        pattern = f"{models}/tiny_{{size}}_fusion/best"
        self.steps = [
            *(("s1", {**llm, "mode": mode}) for mode in ("entity", "pos")),
            ("s2", llm),
            *(("s3", {**llm, "mode": mode}) for mode in ("entity", "pos")),
            ("s4", data),
            *(("s5", {**data, "is_syn": side}) for side in (0, 1)),
            ("s6", data),
            ("s7", {**data, "model_from_pretrained": pattern, "n_gpu": -1}),
            ("s8", data),
        ]

    def run(self, number):
        """Run the step with this number to its end; return its seconds."""
        return self.server.run(*self._order(number))

    def kill(self, number, moment):
        """Run a step and kill it after `moment` seconds; return whether it was still running."""
        return self.server.kill(*self._order(number), moment)

    def _order(self, number):
        step, values = self.steps[number]
        return step, {**values, "asked": str(self.asked), "seconds": SECONDS}

    def results(self):
        """Return the files of all steps, with the lines of journals sorted."""
        found = bytes_below(self.dataset)
        return {
            name: sorted(data.splitlines()) if name.endswith(".journal.jsonl") else data for name, data in found.items()
        }


@pytest.fixture(scope="module")
def server():
    with step_server() as server:
        yield server


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The recording of an LLM, and a tiny span model for each size."""
    folder = tmp_path_factory.mktemp("models")
    ENGLISH.record(folder / "answers.jsonl")
    encoder = make_encoder(folder / "encoder", words_of(ENGLISH.rows))
    for size, number in SIZES.items():
        make_model(folder / f"tiny_{size}_fusion" / "best", encoder, ENGLISH.labels, ENGLISH.rows[:number])
    return folder


@pytest.fixture(scope="module")
def undisturbed(server, models, tmp_path_factory):
    """The results of all steps, the prompts, and the seconds of each step."""
    pipeline = Pipeline(tmp_path_factory.mktemp("undisturbed"), server, models)
    seconds = [pipeline.run(number) for number in range(len(pipeline.steps))]
    return pipeline.results(), Counter(pipeline.asked.read_text(encoding="utf-8").split("\n")[:-1]), seconds


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_steps_killed_at_random_give_the_same_bytes_and_ask_nothing_twice(kills, server, models, undisturbed, tmp_path):
    expected, once, durations = undisturbed
    seconds = list(durations)
    rng = random.Random(kills)
    pipeline = Pipeline(tmp_path, server, models)
    planned = Counter(rng.choices(range(len(seconds)), k=kills))
    met: Counter[int] = Counter()
    for number in range(len(pipeline.steps)):
        while met[number] < planned[number]:
            was_running = pipeline.kill(number, rng.uniform(0, LAST_MOMENT * seconds[number]))
            met[number] += was_running
            if not was_running:  # with fewer questions left, the step ends sooner
                seconds[number] = max(0.005, seconds[number] / 2)
        pipeline.run(number)
    assert met.total() == kills
    assert pipeline.results() == expected
    asked = Counter(pipeline.asked.read_text(encoding="utf-8").split("\n")[:-1])
    assert set(asked) == set(once)
    llm_kills = sum(times for number, times in met.items() if pipeline.steps[number][0] in ("s1", "s2", "s3"))
    assert asked.total() <= once.total() + BATCH * llm_kills
    assert max(asked.values()) <= 1 + llm_kills
    for journal in (tmp_path / "tiny" / "GLM4").glob("*.journal.jsonl"):
        keys = [(row["id"], row["task"], row["input"], row["sample"]) for row in read_lines(journal)]
        assert len(set(keys)) == len(keys)
