"""Running a script: from the command line or a notebook, up to the line that reports its result."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from utils.cli.exits import end_with, open_missing_streams
from utils.cli.parser import Parser

log = logging.getLogger(__name__)

Run = Callable[[argparse.Namespace], None]


def start(parser: Parser, run: Run, *, cmd_args: bool, values: Mapping[str, object]) -> None:
    """Run a script with its command line or, in a notebook (`cmd_args=False`), with `values`.

    On the command line an error ends the process with one line and an exit code (see `exits.py`). In a notebook it is
    raised.
    """
    # By default OpenMP threads (torch, llama.cpp) spin while they wait. On a core that they share, that is ten times
    # slower than a short spin.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    # Else transformers warns about weights that a span model or an old checkpoint does not need.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if cmd_args:
        open_missing_streams()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if cmd_args:
        end_with(lambda: run(parser.parse_words(sys.argv[1:])), parser.prog, debug="--debug" in sys.argv[1:])
    else:
        run(parser.parse_values(values))


def report(counts: object, result: Path, *, advice: str | None = None) -> None:
    """Log the last line of a step: the counts, and where the result is; with advice, the line is a warning."""
    if advice:
        log.warning("warning: %s -> %s; %s", counts, result, advice)
    else:
        log.info("%s -> %s", counts, result)
