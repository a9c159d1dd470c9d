"""Several copies of one model, a GPU each, that share the work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Event

from utils.llm.base import LLM, Answer, Request

Said = Queue[Answer | int]  # answers as they come, and the number of each copy that has ended


class Copies:
    """Deals requests out to equal LLMs, a thread each."""

    def __init__(self, llms: Sequence[LLM]) -> None:
        self.llms = llms

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Dealt by length, like cards: every share has long and short ones.
        ordered = sorted(requests, key=lambda request: -len(request.prompt) - request.max_new_tokens)
        said: Said = Queue()
        stop = Event()
        with ThreadPoolExecutor(len(self.llms)) as pool:
            futures = [
                pool.submit(_work, llm, ordered[place :: len(self.llms)], place, said, stop)
                for place, llm in enumerate(self.llms)
            ]
            try:
                yield from _collect(said, futures)
            finally:
                stop.set()  # where reading ends early, the others end after the answer that they are at


def _work(llm: LLM, requests: Sequence[Request], place: int, said: Said, stop: Event) -> None:
    try:
        for answer in llm.generate(requests):
            said.put(answer)
            if stop.is_set():
                return
    finally:
        said.put(place)


def _collect(said: Said, futures: Sequence[Future[None]]) -> Iterator[Answer]:
    """Yield every answer as it comes; raise what a copy could not go on with."""
    at_work = len(futures)
    while at_work:
        found = said.get()
        if isinstance(found, int):
            futures[found].result()
            at_work -= 1
        else:
            yield found
