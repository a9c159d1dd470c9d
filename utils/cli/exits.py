"""The end of a script: its exit code and, after an error, one line with the reason and a remedy, also in a notebook."""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

from utils.wording import printable

log = logging.getLogger(__name__)

BAD_INPUT, FAILURE = 2, 1
# Errors that a user can cause or fix. All others are errors of the program, and show their traceback.
BAD_INPUT_ERRORS = (ValueError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
FAILURE_ERRORS = (OSError, ImportError, RuntimeError, MemoryError)
BROKEN_PIPE = 128 + 13  # 13: SIGPIPE, which does not exist on Windows

CONTINUE = "run the same command again to continue"
# Added to errors of the operating system, which name only their kind and a file.
REMEDIES = {
    errno.ENOSPC: f"the disk is full: free some space, then {CONTINUE}",
    errno.EDQUOT: f"your disk quota is used up: free some space, then {CONTINUE}",
    errno.EROFS: "the disk is read-only: copy the dataset to a folder on another disk (--file_dir)",
    errno.EACCES: "ask the owner for permission, or copy the dataset to your own folder (--file_dir)",
    errno.ENOENT: f"check the path; if it was deleted during the run, restore it, then {CONTINUE}",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENAMETOOLONG: "use shorter names of files and folders",
    errno.EEXIST: "a file is in the place of a folder, or a folder in that of a file: rename it, or give another path",
    errno.ENOTDIR: "a file is in the place of a folder: rename it, or give another path",
    errno.EISDIR: "a folder is in the place of a file: rename it, or give another path",
    errno.ELOOP: "links point to each other: replace them with the file or folder",
}
# Errors of the operating system that only other input can fix.
BAD_INPUT_ERRNOS = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
STOP_SIGNALS = {"SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}


class UsageError(ValueError):
    """A flag, or a value from a notebook, cannot be used."""


class StopSignal(BaseException):
    """A signal tells the process to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def end_with(work: Callable[[], None], name: str, *, debug: bool) -> None:
    """Do the work of the script `name`; if it fails, end the process with an exit code.

    The code is 2 for bad input, 1 for another failure, and 128 plus the signal's number after a signal. A closed pipe
    (`| head -1`) counts as the signal SIGPIPE.
    """
    _handle_signals()
    code = _exit_code(work, name, debug)
    if code and _has_other_threads():
        # sys.exit would wait for these threads, and they wait for an LLM.
        logging.shutdown()
        os._exit(code)
    if code:
        sys.exit(code)


@contextmanager
def one_line_errors(*, debug: bool) -> Iterator[None]:
    """Let IPython show an error that a user can fix as one line, without a traceback; the error itself is raised."""
    try:
        yield
    except (*BAD_INPUT_ERRORS, *FAILURE_ERRORS, KeyboardInterrupt) as error:
        if not debug:
            stopped = isinstance(error, KeyboardInterrupt)
            _set_rendering(error, f"interrupted; {CONTINUE}" if stopped else f"error: {error_message(error)}")
        raise


def open_missing_streams() -> None:
    """Replace a missing standard output or error stream by one that discards everything."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nothing = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # open until the process ends
            setattr(sys, name, nothing)


def _handle_signals() -> None:
    def stop(number: int, frame: object) -> NoReturn:
        raise StopSignal(number)

    for name in STOP_SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, stop)


def _exit_code(work: Callable[[], None], name: str, debug: bool) -> int:
    try:
        try:
            work()
        finally:
            sys.stdout.flush()  # here an error can be reported; at the interpreter's end it could not
    except KeyboardInterrupt:
        return _report_stop(name, "interrupted", signal.SIGINT)
    except StopSignal as stop:
        return _report_stop(name, STOP_SIGNALS[signal.Signals(stop.number).name], stop.number)
    except BrokenPipeError as error:
        closed = [stream for stream in (sys.stdout, sys.stderr) if _is_closed_pipe(stream)]
        for stream in closed:  # else the interpreter tries to flush it at its end
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), stream.fileno())
        return BROKEN_PIPE if closed else _report_error(name, error, FAILURE, debug)
    except BAD_INPUT_ERRORS as error:
        return _report_error(name, error, BAD_INPUT, debug)
    except FAILURE_ERRORS as error:
        is_bad_input = isinstance(error, OSError) and error.errno in BAD_INPUT_ERRNOS
        return _report_error(name, error, BAD_INPUT if is_bad_input else FAILURE, debug)
    return 0


def _report_stop(name: str, reason: str, number: int) -> int:
    log.error("%s: %s; %s", name, reason, CONTINUE)
    return 128 + number


def _report_error(name: str, error: BaseException, code: int, debug: bool) -> int:
    if debug:
        raise error
    log.error("%s: error: %s", name, error_message(error))
    return code


def error_message(error: BaseException) -> str:
    """Return an error as one line for a user: the reason and, for errors of the operating system, a remedy."""
    return printable(_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        message = f"{error.filename}: {error.strerror}"  # without "[Errno 28]"
    else:
        message = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return f"{message}; {REMEDIES[error.errno]}"
    if isinstance(error, ModuleNotFoundError) and error.name and message == f"No module named {error.name!r}":
        return f"the package {error.name} is missing: install the requirements (docs/install.md)"
    if isinstance(error, MemoryError) and not message:
        return "out of memory: close other programs, or use a smaller model or --batch_size"
    return message or f"{type(error).__name__} without a message; --debug shows where it happened"


def _is_closed_pipe(stream: TextIO) -> bool:
    """Return whether a stream is a pipe whose other end is closed."""
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _has_other_threads() -> bool:
    """Return whether threads are running that the interpreter would wait for at its end."""
    return any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


def _set_rendering(error: BaseException, line: str) -> None:
    """Let IPython show this line: it calls this method, if an exception has one, for the lines of its traceback."""
    error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
