"""Jobs that need each other's results, run in this process or in several worker processes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from utils.compute.inventory import cores
from utils.files.own_files import check_own_file

Gpus = tuple[int, ...]
LOG_FILE = "log.txt"  # in the folder of a job's result
# Errors that a user can cause or fix; another error ends its process.
ERRORS = (OSError, ValueError, ImportError, RuntimeError, MemoryError)
Key = Hashable


@dataclass(frozen=True)
class Job:
    """A picklable function. It is called with the results of the jobs that it needs, and with the GPU to use."""

    call: Callable[..., Any]  # call(*results, gpus=…)
    needs: tuple[Key, ...] = ()


class Workers(Protocol):
    """Processes that run jobs: each runs one at a time."""

    def start(self, key: Key, call: Callable[..., Any], arguments: Sequence[Any]) -> None:
        """Start a job; some worker must be free."""

    def wait(self) -> tuple[Key, Any]:
        """Return the key and the result of a job that has ended; raise its error if it failed."""

    @property
    def free(self) -> int:
        """The number of workers without a job."""


def run_jobs(jobs: Mapping[Key, Job], workers: Workers, report: Callable[[Any], None]) -> dict[Key, Any]:
    """Run all jobs, each after those that it needs, and return their results by key; `report` gets each result.

    The first error ends the run, and is raised.
    """
    results: dict[Key, Any] = {}
    waiting = dict(jobs)
    running = 0
    while waiting or running:
        ready = [key for key, job in waiting.items() if all(need in results for need in job.needs)]
        for key in ready[: workers.free]:
            job = waiting.pop(key)
            workers.start(key, job.call, [results[need] for need in job.needs])
            running += 1
        if not running:
            raise RuntimeError(f"these jobs need each other: {', '.join(map(str, waiting))}")
        key, result = workers.wait()
        running -= 1
        results[key] = result
        report(result)
    return results


def default_jobs(jobs: int | None, gpus: Gpus) -> tuple[int, Gpus]:
    """Return the number of jobs at a time, by default one for each GPU or core, and the GPUs that this machine has."""
    from utils.compute.devices import usable_gpus

    usable = tuple(usable_gpus(gpus))
    return jobs or len(usable) or cores(), usable


@contextmanager
def start_workers(number: int, gpus: Sequence[int], logs: Path) -> Iterator[Workers]:
    """Start workers that compute with one thread each, and end them, with their jobs, after the block.

    One worker is this process. With GPUs, each worker uses one of them. Errors of the program are written to files in
    the folder `logs`.
    """
    if number == 1:
        from utils.compute.devices import one_thread

        with one_thread():
            yield _ThisProcess(tuple(gpus[:1]))
        return
    pool = _Processes(number, gpus, logs)
    try:
        yield pool
    finally:
        pool.stop()


class _ThisProcess:
    """Runs jobs in this process, when their result is waited for."""

    def __init__(self, gpus: Gpus) -> None:
        self._gpus = gpus
        self._job: tuple[Key, Callable[..., Any], Sequence[Any]] | None = None

    @property
    def free(self) -> int:
        return int(self._job is None)

    def start(self, key: Key, call: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self._job = key, call, arguments

    def wait(self) -> tuple[Key, Any]:
        if self._job is None:
            raise RuntimeError("no job was started")
        (key, call, arguments), self._job = self._job, None
        return key, call(*arguments, gpus=self._gpus)


class _Processes:
    """Runs jobs in processes that end with this one, even if it is killed."""

    def __init__(self, number: int, gpus: Sequence[int], logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        context = get_context("spawn")  # a fork would copy the threads' locks, and cannot use a GPU
        self._processes: dict[Connection, BaseProcess] = {}
        self._keys: dict[Connection, Key] = {}  # of the workers that have a job
        for index in range(number):
            ours, theirs = context.Pipe()
            own_gpus = (gpus[index % len(gpus)],) if gpus else ()
            log = logs / f"worker_{index + 1}.log"
            check_own_file(log)
            process = context.Process(target=_work, args=(theirs, own_gpus, log), daemon=True, name=str(log))
            process.start()
            theirs.close()
            self._processes[ours] = process

    @property
    def free(self) -> int:
        return len(self._processes) - len(self._keys)

    def start(self, key: Key, call: Callable[..., Any], arguments: Sequence[Any]) -> None:
        worker = next(worker for worker in self._processes if worker not in self._keys)
        worker.send((call, arguments))
        self._keys[worker] = key

    def wait(self) -> tuple[Key, Any]:
        ready = connection.wait(list(self._keys))
        worker = next(one for one in self._keys if one in ready)
        key = self._keys.pop(worker)
        try:
            has_failed, result = worker.recv()
        except EOFError:
            process = self._processes[worker]
            process.join()
            raise RuntimeError(
                f"a worker process died with exit code {process.exitcode}: see {process.name}; if that is empty, the "
                "memory may have been full: use fewer --jobs, and run the same command again to continue"
            ) from None
        if has_failed:
            raise result
        return key, result

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
        for worker, process in self._processes.items():
            process.join()
            worker.close()


def _work(calls: Connection, gpus: Gpus, log: Path) -> None:
    """Run jobs until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from utils.compute.devices import one_thread

    # Bars are shown on a terminal alone. The file stays open: it gets the traceback of an error that ends the process.
    sys.stderr = log.open("w", encoding="utf-8", buffering=1)
    with one_thread():
        while True:
            try:
                call, arguments = calls.recv()
            except EOFError:
                return
            try:
                answer = (False, call(*arguments, gpus=gpus))
            except ERRORS as error:
                answer = (True, error)
            calls.send(answer)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append all messages of this project to a file while the block runs; only errors are also shown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    check_own_file(path)
    project = logging.getLogger("utils")
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    level, propagate = project.level, project.propagate
    project.addHandler(handler)
    project.setLevel(logging.INFO)
    project.propagate = False
    try:
        yield
    finally:
        project.removeHandler(handler)
        handler.close()
        project.setLevel(level)
        project.propagate = propagate
