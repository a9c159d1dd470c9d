"""Running a script: from the command line or a notebook, up to the line that reports its result."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType

from utils.asking.batch.choice import AnswersPendingError
from utils.cli.exits import end_with, one_line_errors, open_missing_streams
from utils.cli.parser import Parser
from utils.compute.progress import quiet_other_bars
from utils.wording import printable

log = logging.getLogger(__name__)

Run = Callable[[argparse.Namespace], None]


class NotebookHandler(logging.StreamHandler):
    """Writes messages to standard output, and warnings to the error stream, which a notebook shows in red."""

    def emit(self, record: logging.LogRecord) -> None:
        # Looked up each time: a kernel may replace its streams between two cells.
        self.stream = sys.stderr if record.levelno >= logging.WARNING else sys.stdout
        super().emit(record)


class PrintableFormatter(logging.Formatter):
    """Escapes control characters in messages, which may contain labels, file names and words of a server."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), keep="\n\t")


def is_kernel() -> bool:
    """Return whether this process is the kernel of a notebook."""
    return "ipykernel" in sys.modules


def start(parser: Parser, run: Run, *, cmd_args: bool, values: Mapping[str, object]) -> None:
    """Run a script with its command line or, in a notebook (`cmd_args=False`), with `values`.

    On the command line an error ends the process with one line and an exit code (see `exits.py`). In a notebook it is
    raised, and shown as one line.
    """
    # By default OpenMP threads (torch, llama.cpp) spin while they wait. On a core that they share, that is ten times
    # slower than a short spin.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    # Else transformers warns about weights that a span model or an old checkpoint does not need.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if cmd_args:
        open_missing_streams()
        sys.excepthook = _show_traceback
    quiet_other_bars()
    _show_messages(in_notebook=not cmd_args or is_kernel())
    if cmd_args:
        end_with(lambda: _run(run, parser.parse_words(sys.argv[1:])), parser.prog, debug="--debug" in sys.argv[1:])
    else:
        with one_line_errors(debug=bool(values.get("debug"))):
            _run(run, parser.parse_values(values))


def _run(run: Run, args: argparse.Namespace) -> None:
    """Run a script; a step that waits for the results of batch files ends here, and says what to do."""
    try:
        run(args)
    except AnswersPendingError as pending:
        log.info("%s", pending)


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show an error as the interpreter does, with control characters escaped."""
    sys.stderr.write(printable("".join(traceback.format_exception(kind, error, trace)), keep="\n\t"))


def _show_messages(*, in_notebook: bool) -> None:
    """Show the messages of this project, unless the program that calls it has its own logging."""
    handler = NotebookHandler() if in_notebook else logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(message)s"))
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, handlers=[handler])
    elif is_kernel() and not logging.getLogger("utils").isEnabledFor(logging.INFO):
        # Colab's own handler shows warnings only, in red.
        project = logging.getLogger("utils")
        project.setLevel(logging.INFO)
        project.propagate = False
        project.addHandler(handler)


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output, each as one line whatever it contains."""
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    sys.stdout.flush()


def report(counts: object, result: Path, *, advice: str | None = None) -> None:
    """Log the last line of a step: the counts, and where the result is; with advice, the line is a warning."""
    if advice:
        log.warning("warning: %s -> %s; %s", counts, result, advice)
    else:
        log.info("%s -> %s", counts, result)
