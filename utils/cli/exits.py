"""How a script ends: an exit code, and one line that names what went wrong and the way out."""

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
READER_GONE = 128 + 13  # SIGPIPE, which Windows has not

# What to do about errors of the operating system, which say no more than their kind and a file.
REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space; the same command goes on from here",
    errno.EDQUOT: "your quota is used up: free some space; the same command goes on from here",
    errno.EROFS: "nothing can be written there: put the dataset in a folder of your own (--file_dir)",
    errno.EACCES: "you may not use it: ask its owner, or put the dataset in a folder of your own (--file_dir)",
    errno.ENOENT: "check the path; if it was deleted meanwhile, put it back: the same command goes on from here",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
}
STOPS = {"SIGTERM": "terminated", "SIGHUP": "its terminal was closed"}


class UsageError(ValueError):
    """A flag, or a value from a notebook, that cannot be used."""


class Stop(BaseException):
    """A signal asks the process to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def end_with(work: Callable[[], None], name: str, *, debug: bool) -> None:
    """Do the work of the script `name`, and end the process if it fails: 2 for bad input, 1 for a failure.

    A signal ends it with 128 and the signal's number, as does a reader of its output that has gone (`| head -1`).
    """
    _heed_signals()
    code = _exit_code(work, name, debug)
    if code and _others_work():
        # Threads that wait for an LLM would be waited for in their turn.
        logging.shutdown()
        os._exit(code)
    if code:
        sys.exit(code)


def open_missing_streams() -> None:
    """Give a process that was started without standard output or error ones that swallow all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nothing = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # as long as the process lives
            setattr(sys, name, nothing)


def _heed_signals() -> None:
    def stop(number: int, frame: object) -> NoReturn:
        raise Stop(number)

    for name in STOPS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, stop)


def _exit_code(work: Callable[[], None], name: str, debug: bool) -> int:
    try:
        try:
            work()
        finally:
            sys.stdout.flush()  # here, where it can be told of, and not at the interpreter's end
    except KeyboardInterrupt:
        return _tell_of_stop(name, "interrupted", signal.SIGINT)
    except Stop as stop:
        return _tell_of_stop(name, STOPS[signal.Signals(stop.number).name], stop.number)
    except BrokenPipeError as error:
        gone = [stream for stream in (sys.stdout, sys.stderr) if _reader_is_gone(stream)]
        for stream in gone:  # else the interpreter tries again at its end
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), stream.fileno())
        return READER_GONE if gone else _tell(name, error, FAILURE, debug)
    except (ValueError, FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        return _tell(name, error, BAD_INPUT, debug)
    except (OSError, ImportError, RuntimeError, MemoryError) as error:
        return _tell(name, error, FAILURE, debug)
    return 0


def _tell_of_stop(name: str, what: str, number: int) -> int:
    log.error("%s: %s; the same command goes on from here", name, what)
    return 128 + number


def _tell(name: str, error: BaseException, code: int, debug: bool) -> int:
    if debug:
        raise error
    message = " ".join(str(error).split()) or "no more is known; --debug shows where"
    if isinstance(error, OSError) and error.errno in REMEDIES:
        message += f"; {REMEDIES[error.errno]}"
    log.error("%s: %s: %s", name, "error" if isinstance(error, UsageError) else type(error).__name__, message)
    return code


def _reader_is_gone(stream: TextIO) -> bool:
    """Tell whether a stream is a pipe that nobody reads any more."""
    if not hasattr(select, "poll"):  # Windows
        return True
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _others_work() -> bool:
    return any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
