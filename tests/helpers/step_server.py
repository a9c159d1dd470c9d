"""A process that runs steps of the pipeline in child processes, which a test can kill at any moment.

For each line that it reads, `{"step": "s1", "values": {...}}`, it starts a step and writes the child's process id.
After one more line it writes the child's exit code; a negative one is the signal that ended the child. Children are
forked after all imports, so that a kill hits the step at work and not while it imports. Their scripted LLM is slow,
answers in batches, and records the requests in a file.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "syn_pipelines")]
import _repo_root  # noqa: E402, F401

from tests.helpers.builders import STEPS  # noqa: E402
from utils.llm import LLM, Answer, LLMOptions, Request  # noqa: E402
from utils.llm.backends import scripted  # noqa: E402

load = scripted.load

# Imported by s7 and train_ner only when they load a model. A process that has computed with torch must not be forked,
# but one that has only imported it may be.
IMPORTED_LATE = (
    "utils.ner.prediction.predictor",
    "utils.ner.training.trainer",
    "transformers.models.bert.modeling_bert",
    "transformers.models.bert.tokenization_bert_fast",
    "torch._dynamo",
)


class SlowLLM:
    """Gives a recording's answers in batches, each after some seconds, and appends its requests to a file."""

    def __init__(self, llm: LLM, batch_size: int, asked: Path, seconds: float) -> None:
        self.llm = llm
        self.batch_size = batch_size
        self.asked = asked
        self.seconds = seconds

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for start in range(0, len(requests), self.batch_size):
            batch = requests[start : start + self.batch_size]
            with self.asked.open("a", encoding="utf-8") as file:
                file.writelines(f"{request.task} {request.id}\n" for request in batch)
            time.sleep(self.seconds)
            yield from self.llm.generate(batch)


def run(step: str, values: dict[str, Any]) -> None:
    """Run a step in this process, and exit with its exit code."""
    if "asked" in values:
        asked, seconds = Path(values.pop("asked")), float(values.pop("seconds"))

        def load_slow(model: str, options: LLMOptions) -> SlowLLM:
            return SlowLLM(load(model, options), options.batch_size, asked, seconds)

        scripted.load = load_slow  # type: ignore[assignment]
    code = 1
    try:
        importlib.import_module(STEPS[step]).main(cmd_args=False, **values)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def reply(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    for module in (*STEPS.values(), *IMPORTED_LATE):
        importlib.import_module(module)
    while line := sys.stdin.readline():
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            run(order["step"], order["values"])
        reply(child)
        sys.stdin.readline()  # the child is not waited for before, so its id cannot be given to another process
        reply(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
