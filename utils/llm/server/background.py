"""Asynchronous code in a background thread. The caller is not asynchronous, and may run inside a notebook's loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
END = object()


def run_in_background(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def iterate_in_background(stream: AsyncIterator[T]) -> Iterator[T]:
    """Yield the items of an asynchronous iterator; closing this iterator cancels the other, and waits for its end."""
    items: SimpleQueue[Any] = SimpleQueue()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()

    async def pump() -> None:
        task = asyncio.current_task()
        if task is not None:
            started.set_result((asyncio.get_running_loop(), task))
        try:
            async for item in stream:
                items.put(item)
        finally:
            items.put(END)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, pump())
        loop, task = started.result()
        try:
            while (item := items.get()) is not END:
                yield item
            running.result()  # raises the stream's error, if it had one
        finally:
            with suppress(RuntimeError):  # raised if the loop is closed already
                loop.call_soon_threadsafe(task.cancel)
