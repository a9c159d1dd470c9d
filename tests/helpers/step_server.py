"""A process that runs steps of the pipeline in children of its own, which can be killed at any moment.

It reads one JSON object a line, `{"step": "s1", "values": {...}}`, and writes the number of the child that runs it;
after one more line, the child's exit code (negative: the signal that ended it). A child is forked, not started: all
is imported by then, so that a kill meets the step at work. Its scripted LLM is slow, answers in batches, and notes
what it is asked.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "syn_pipelines")]
import _repo_root  # noqa: E402, F401

from tests.helpers.builders import STEPS  # noqa: E402
from utils.llm.backends import scripted  # noqa: E402

load = scripted.load

# What s7 and a training import only when they load a model. Torch has computed nothing by then, so it can be forked.
IMPORTED_LATE = (
    "utils.ner.prediction.predictor",
    "utils.ner.training.trainer",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert_fast",
    "torch._dynamo",
)


class SlowLLM:
    """Answers a recording's answers batch by batch, each after a while; notes in a file what it was asked."""

    def __init__(self, llm, batch_size, asked, seconds):
        self.llm, self.batch_size, self.asked, self.seconds = llm, batch_size, asked, seconds

    def generate(self, requests):
        for start in range(0, len(requests), self.batch_size):
            batch = requests[start : start + self.batch_size]
            with self.asked.open("a", encoding="utf-8") as file:
                file.writelines(f"{request.task} {request.id}\n" for request in batch)
            time.sleep(self.seconds)
            yield from self.llm.generate(batch)


def run(step, values):
    """Run a step as a child does; end with its exit code."""
    if "asked" in values:
        asked, seconds = Path(values.pop("asked")), values.pop("seconds")
        scripted.load = lambda model, options: SlowLLM(load(model, options), options.batch_size, asked, seconds)
    code = 1
    try:
        importlib.import_module(STEPS[step]).main(cmd_args=False, **values)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def say(number):
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main():
    for module in (*STEPS.values(), *IMPORTED_LATE):
        importlib.import_module(module)
    while line := sys.stdin.readline():
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            run(order["step"], order["values"])
        say(child)
        sys.stdin.readline()  # until then the child's number stays its own, even where it has ended
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
