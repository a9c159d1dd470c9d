"""Work over rows, in this process or in a pool of workers of a Ray cluster. Results are yielded as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from utils.compute.ordered_map import Block, Result, map_in_processes
from utils.compute.ray_cluster import Load, map_on_ray, run_on_ray
from utils.wording import counted

EngineName = Literal["local", "ray"]


@dataclass(frozen=True)
class Engine:
    """Where work over rows is computed."""

    name: EngineName = "local"
    workers: int | None = None  # None: on Ray, as many as it has GPUs for, or one per machine without GPUs; else one
    gpus: int = 0  # per worker

    @property
    def is_pool(self) -> bool:
        """Whether the work runs in other processes."""
        return self.name == "ray"

    def seen(self, gpus: tuple[int, ...]) -> tuple[int, ...]:
        """Return the indices of these GPUs in the process that works: a Ray worker numbers its own from 0."""
        return tuple(range(len(gpus))) if self.is_pool else gpus

    def run(self, load: Load, rows: Sequence[Any], *, batch_size: int) -> Iterator[tuple[int, Any]]:
        """Yield (index of a row, result) for every row exactly once, in any order, as results arrive.

        `load` is called once in each process, and must be picklable for Ray. A worker that dies is restarted. An error
        that the work raises is raised here, as it would be without workers.
        """
        if not self.is_pool:
            yield from load()(rows)
            return
        done: set[int] = set()
        while len(done) < len(rows):
            left = [index for index in range(len(rows)) if index not in done]
            before = len(done)
            numbered = [(index, rows[index]) for index in left]
            for index, result in run_on_ray(load, numbered, batch_size, workers=self.workers, gpus=self.gpus):
                if index not in done:  # results that a worker sent before it died may come again
                    done.add(index)
                    yield index, result
            if len(done) == before:
                raise RuntimeError(
                    f"Ray's workers returned no result for {len(left)} of {counted(len(rows), 'row')}: run the "
                    "same command again to continue"
                )

    def map(
        self, work: Callable[[Block], Result], blocks: Iterable[Block], *, whole_machines: bool = False
    ) -> Iterator[Result]:
        """Yield the result of each block of rows, in their order, with few blocks in memory at a time.

        `work` must be picklable if there are several processes. With `whole_machines`, the workers of a cluster share
        all cores, since each of them computes with several threads.
        """
        workers = self.workers or 1
        if self.is_pool:
            yield from map_on_ray(work, blocks, whole_machines=whole_machines, workers=self.workers, gpus=self.gpus)
        elif workers > 1:
            yield from map_in_processes(work, blocks, workers=workers)
        else:
            yield from map(work, blocks)


LOCAL = Engine()
