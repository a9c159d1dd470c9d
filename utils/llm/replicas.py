"""Several replicas of one model that share the requests, each on its own GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event

from utils.llm.base import LLM, Answer, Request

Results = Queue[Answer | int]  # answers as they come, and the number of each replica that has ended


class Replicas:
    """An LLM that distributes requests over equal LLMs, each in its own thread."""

    def __init__(self, llms: Sequence[LLM]) -> None:
        self.llms = llms

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Sorted by length and dealt out in turn, so that every replica gets long and short requests.
        ordered = sorted(requests, key=lambda request: -request.size)
        results: Results = Queue()
        stop = Event()
        with ThreadPoolExecutor(len(self.llms)) as pool:
            futures = [
                pool.submit(_run, llm, ordered[number :: len(self.llms)], number, results, stop)
                for number, llm in enumerate(self.llms)
            ]
            try:
                yield from _collect(results, futures)
            finally:
                stop.set()  # if the caller stops reading, or a replica fails, the others end after their next answer


def _run(llm: LLM, requests: Sequence[Request], number: int, results: Results, stop: Event) -> None:
    """Put a replica's answers into `results`, and then its number."""
    try:
        for answer in llm.generate(requests):
            results.put(answer)
            if stop.is_set():
                return
    finally:
        results.put(number)


def _collect(results: Results, futures: Sequence[Future[None]]) -> Iterator[Answer]:
    """Yield every answer as it comes; raise the error of the first replica that failed."""
    running = len(futures)
    while running:
        result = results.get()
        if isinstance(result, int):
            futures[result].result()
            running -= 1
        else:
            yield result
