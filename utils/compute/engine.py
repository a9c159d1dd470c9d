"""Work over rows, in this process or in a pool of workers of a Ray cluster. Results are yielded as they arrive."""

from __future__ import annotations

import logging
import math
import os
import pickle
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

from utils.compute.ordered_map import Block, BlockWorker, Result, in_order, map_in_processes
from utils.wording import counted

log = logging.getLogger(__name__)

EngineName = Literal["local", "ray"]
Work = Callable[[Sequence[Any]], Iterable[tuple[int, Any]]]  # rows -> (index of a row, its result)
Load = Callable[[], Work]  # called once in each process, for example to load a model

RESTARTS = 3  # of a worker, and attempts to repeat its rows, before the run fails
MAX_BATCHES = 4  # given to a worker at a time; if it dies, they are computed again
INSTALL = "--engine=ray needs Ray: pip install 'ray[data]>=2.51,<2.64'"

# Errors that a worker sends by name, so that this process raises them as it would without workers.
ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (FileNotFoundError, ValueError, ImportError, OSError, MemoryError, RuntimeError)
}


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
            for index, result in _pool_results(self, load, [(index, rows[index]) for index in left], batch_size):
                if index not in done:  # results that a worker sent before it died may come again
                    done.add(index)
                    yield index, result
            if len(done) == before:
                raise RuntimeError(
                    f"Ray's workers returned no result for {len(left)} of {counted(len(rows), 'row')}: run the "
                    "same command again to continue"
                )

    def map(
        self,
        load: Callable[[], Callable[[Block], Result]],
        blocks: Iterable[Block],
        *,
        whole_machines: bool = False,
    ) -> Iterator[Result]:
        """Yield the result of each block of rows, in their order, with few blocks in memory at a time.

        `load` is called once in each process, and must be picklable if there are several. With `whole_machines`, the
        workers of a cluster share all cores, since each of them computes with several threads.
        """
        workers = self.workers or 1
        if self.is_pool:
            yield from _map_on_ray(self, load, blocks, whole_machines)
        elif workers > 1:
            yield from map_in_processes(load, blocks, workers=workers)
        else:
            yield from map(load(), blocks)


LOCAL = Engine()


def _map_on_ray(engine: Engine, load: Callable[[], Any], blocks: Iterable[Any], whole_machines: bool) -> Iterator[Any]:
    """Yield the result of each block, in their order, from actors of a Ray cluster that take turns."""
    ray = _start_ray()
    gpus, number = _share_out(engine, ray)
    cores = 1 if gpus else _cores_each(_machines(ray, "CPU"), number)
    options = {"num_cpus": cores if whole_machines else min(1, cores), "num_gpus": gpus}
    actor = ray.remote(**options, max_restarts=RESTARTS, max_task_retries=RESTARTS)(BlockWorker)
    actors = [actor.remote(load) for _ in range(number)]
    started = (one.run.remote(block) for one, block in zip(cycle(actors), blocks, strict=False))
    try:
        yield from in_order(started, ray.get, number)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise RuntimeError(f"Ray failed: {_summary(error)}; run the same command again") from error


def _pool_results(
    engine: Engine, load: Load, rows: Sequence[tuple[int, Any]], batch_size: int
) -> Iterator[tuple[int, Any]]:
    """Yield (index, result) from a pool of workers, for rows (index, row)."""
    ray = _start_ray()
    gpus, workers = _share_out(engine, ray)
    size = _rows_at_once(len(rows), workers, batch_size)
    # One item per block of Ray, with `size` pickled rows: Ray would choose its own block size for more items.
    packed = [{"rows": pickle.dumps(rows[start : start + size])} for start in range(0, len(rows), size)]
    if engine.workers and len(packed) < engine.workers:
        log.info("%d of %d workers are used: there are only %d batches", len(packed), engine.workers, len(packed))
    workers = min(workers, len(packed))
    source = ray.data.from_items(packed, override_num_blocks=len(packed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray 2.64 has another name for max_restarts
        results = source.map_batches(
            _Worker,
            fn_constructor_args=(load,),
            batch_size=None,  # a whole block
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            num_cpus=1 if gpus else _cores_each(_machines(ray, "CPU"), workers),
            num_gpus=gpus,
            max_restarts=RESTARTS,
            max_task_retries=RESTARTS,
        )
    results.context.enable_progress_bars = False
    results.context.print_on_execution_start = False
    results.context.target_max_block_size = 1  # bytes; each result is passed on as soon as it arrives
    try:
        for row in results.iter_rows():
            yield _unpacked(row)
    except ray.exceptions.RayError as error:
        raise RuntimeError(f"Ray failed: {_summary(error)}; run the same command again to continue") from error


class _Worker:
    """One process of the pool. It calls `load` once, when its first rows arrive."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._work: Work | None = None

    def __call__(self, block: Any) -> Iterator[Any]:
        import pyarrow

        numbered = [one for item in block["rows"].to_pylist() for one in pickle.loads(item)]
        try:
            self._work = self._work or self._load()
            for index, result in self._work([row for _, row in numbered]):
                yield pyarrow.table({"index": [numbered[index][0]], "result": [pickle.dumps(result)]})
        except tuple(ERRORS.values()) as error:
            kind = next(name for name, kind in ERRORS.items() if isinstance(error, kind))
            yield pyarrow.table({"index": [-1], "result": [pickle.dumps((kind, str(error)))]})


def _unpacked(row: dict[str, Any]) -> tuple[int, Any]:
    """Return the index and the result that a worker sent, or raise the error that it sent."""
    result = pickle.loads(row["result"])
    if row["index"] < 0:
        kind, message = result
        raise ERRORS[kind](message)
    return row["index"], result


def _start_ray() -> Any:
    """Return the package ray, connected to the cluster at RAY_ADDRESS or else to a new one on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault(
        "RAY_BACKEND_LOG_LEVEL", "fatal"
    )  # Ray also raises its errors; its log would bury the progress bar
    try:
        import ray
        import ray.data
    except ImportError:
        raise ImportError(INSTALL) from None
    if not ray.is_initialized():
        own_code = str(Path(__file__).resolve().parents[1])  # sent to machines without a copy of the project
        here = {} if os.environ.get("RAY_ADDRESS", "local") != "local" else {"include_dashboard": False}
        end = signal.getsignal(signal.SIGTERM)
        ray.init(runtime_env={"py_modules": [own_code]}, log_to_driver=False, logging_level=logging.ERROR, **here)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, end)  # Ray's own handler ends the process without a message
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    return ray


def _share_out(engine: Engine, ray: Any) -> tuple[int, int]:
    """Return (GPUs per worker, number of workers)."""
    available = _machines(ray, "GPU")
    gpus = engine.gpus if sum(available) else 0
    if engine.gpus > 1 and not gpus:
        raise ValueError(f"--n_gpu: Ray's cluster has no GPU, and a worker needs {engine.gpus}; -1 chooses its CPUs")
    if engine.gpus and not gpus:
        log.info("Ray's cluster has no GPU: its workers run on CPUs")
    room = sum(int(number // gpus) for number in available) if gpus else len(available)
    if gpus and not room:
        raise ValueError(
            f"--n_gpu lists {counted(gpus, 'GPU')} for each worker, but no machine of Ray's cluster has as many: "
            "list fewer GPUs"
        )
    workers = engine.workers or room
    if gpus and workers > room:
        log.warning(
            "Ray's cluster has GPUs for %d of %d workers: the rest must wait until more are free", room, workers
        )
    return gpus, workers


def _machines(ray: Any, resource: str) -> list[float]:
    """Return the amount of a resource on each machine of the cluster."""
    return [node["Resources"].get(resource, 0.0) for node in ray.nodes() if node["Alive"]]


def _cores_each(machines: Sequence[float], workers: int) -> float:
    """Return the largest number of cores that every worker can have on its machine; below 1, workers share a core.

    Three workers on machines with 8 and 4 cores get 4 each: two on the first machine and one on the second.
    """
    for cores in range(int(max(machines)), 0, -1):
        if sum(int(available // cores) for available in machines) >= workers:
            return cores
    return 1 / math.ceil(workers / max(1.0, sum(map(int, machines))))


def _rows_at_once(rows: int, workers: int, batch_size: int) -> int:
    """Return the number of rows given to a worker at a time: whole batches, and about 4 portions per worker.

    480 rows in batches of 20 for 2 workers: 3 batches, 60 rows, at a time. At most MAX_BATCHES, and at least one.
    """
    batches = rows // (batch_size * workers * 4)
    return batch_size * max(1, min(MAX_BATCHES, batches))


def _summary(error: Exception) -> str:
    """Return one line of Ray's long message: the last exception in it, without its type, or else the first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["no reason is given"]
    exceptions = [line.partition(": ")[2] for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    return exceptions[-1] if exceptions else lines[0]
