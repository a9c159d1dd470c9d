"""Work over blocks of rows in several processes: results come in the order of the blocks, with few blocks in memory."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, ClassVar, TypeVar

Block = TypeVar("Block")
Result = TypeVar("Result")

WAITING = 2  # blocks for each worker that are read in advance, so that no worker waits for the next one


def map_in_processes(work: Callable[[Block], Result], blocks: Iterable[Block], *, workers: int) -> Iterator[Result]:
    """Yield the result of each block, in their order, from the `workers` processes.

    An error of the work is raised here. Raises RuntimeError if a process is killed.
    """
    pool = ProcessPoolExecutor(workers, initializer=_start, initargs=(work,))
    try:
        yield from in_order((pool.submit(_run, block) for block in blocks), lambda future: future.result(), workers)
    except BrokenProcessPool:
        raise RuntimeError(
            "a worker process was killed, perhaps because memory ran out: run the same command again with fewer "
            "--num_workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(started: Iterable[Any], result: Callable[[Any], Any], workers: int) -> Iterator[Any]:
    """Yield the results of started work in the order of its start; only so much is started as keeps workers busy."""
    waiting: deque[Any] = deque()
    for one in started:
        waiting.append(one)
        if len(waiting) > WAITING * workers:
            yield result(waiting.popleft())
    while waiting:
        yield result(waiting.popleft())


class _Process:
    """What a worker process works with."""

    work: ClassVar[Callable[[Any], Any]]


def _start(work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that the user interrupts ends its workers
    _Process.work = work


def _run(block: Any) -> Any:
    return _Process.work(block)
