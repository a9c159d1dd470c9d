"""The end of a script: its exit code and, after an error, one line with the reason and a remedy."""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

log = logging.getLogger(__name__)

BAD_INPUT, FAILURE = 2, 1
BROKEN_PIPE = 128 + 13  # 13: SIGPIPE, which does not exist on Windows

CONTINUE = "run the same command again to continue"
# Added to errors of the operating system, which name only their kind and a file.
REMEDIES = {
    errno.ENOSPC: f"the disk is full: free some space, then {CONTINUE}",
    errno.EDQUOT: f"your disk quota is used up: free some space, then {CONTINUE}",
    errno.EROFS: "the disk is read-only: copy the dataset to a folder on another disk (--file_dir)",
    errno.EACCES: "permission denied: ask the owner for access, or copy the dataset to your own folder (--file_dir)",
    errno.ENOENT: f"check the path; if it was deleted during the run, restore it, then {CONTINUE}",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}
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
    except (ValueError, FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        return _report_error(name, error, BAD_INPUT, debug)
    except (OSError, ImportError, RuntimeError, MemoryError) as error:
        return _report_error(name, error, FAILURE, debug)
    return 0


def _report_stop(name: str, reason: str, number: int) -> int:
    log.error("%s: %s; %s", name, reason, CONTINUE)
    return 128 + number


def _report_error(name: str, error: BaseException, code: int, debug: bool) -> int:
    if debug:
        raise error
    message = " ".join(str(error).split()) or "the error has no message; --debug shows where it happened"
    if isinstance(error, OSError) and error.errno in REMEDIES:
        message += f"; {REMEDIES[error.errno]}"
    log.error("%s: %s: %s", name, "error" if isinstance(error, UsageError) else type(error).__name__, message)
    return code


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
