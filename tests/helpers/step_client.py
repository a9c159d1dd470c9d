"""Run steps in processes that a test can kill; `step_server.py` is the other side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.builders import clean_environment


class StepServer:
    """Runs one step at a time, each in its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, step: str, values: Mapping[str, Any]) -> float:
        """Run a step to its end and return its seconds."""
        begin = time.monotonic()
        self._start(step, values)
        assert self._end() == 0, (step, values)
        return time.monotonic() - begin

    def kill(self, step: str, values: Mapping[str, Any], moment: float) -> bool:
        """Run a step, kill it (SIGKILL) after `moment` seconds, and return whether it was still running."""
        child = self._start(step, values)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        return self._end() == -signal.SIGKILL

    def _start(self, step: str, values: Mapping[str, Any]) -> int:
        """Start a step and return the id of its process."""
        return self._ask(json.dumps({"step": step, "values": values}))

    def _end(self) -> int:
        """Wait for the running step and return its exit code."""
        return self._ask("end")

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def step_server() -> Iterator[StepServer]:
    """Start a server of steps, and end it with the block."""
    program = [sys.executable, str(Path(__file__).with_name("step_server.py"))]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen(program, env=clean_environment(OMP_NUM_THREADS="1"), **pipes) as process:
        yield StepServer(process)
        assert process.stdin is not None
        process.stdin.close()
