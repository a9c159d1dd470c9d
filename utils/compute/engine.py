"""One process, or a pool of workers in a Ray cluster: the same work over rows, with results as they come."""

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
from pathlib import Path
from typing import Any, Literal

log = logging.getLogger(__name__)

EngineName = Literal["local", "ray"]
Work = Callable[[Sequence[Any]], Iterable[tuple[int, Any]]]  # rows -> (a row's place among them, its result)
Load = Callable[[], Work]  # does what has to be done once in each process, such as loading a model

RESTARTS = 3  # of a worker, and of the rows that it held; then the run ends
BATCHES_AT_ONCE = 4  # given to a worker at a time, at the most: what a worker that dies has to do again
INSTALL = "--engine=ray needs Ray: pip install 'ray[data]>=2.51,<2.64'"

# What ends a run on the command line as well, by name: a worker sends its error instead of raising it.
ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (FileNotFoundError, ValueError, ImportError, OSError, MemoryError, RuntimeError)
}


@dataclass(frozen=True)
class Engine:
    """Where work over rows is done."""

    name: EngineName = "local"
    workers: int | None = None  # None: as many as the cluster's GPUs suffice for, or one for each of its machines
    gpus: int = 0  # of each worker

    @property
    def is_pool(self) -> bool:
        """Whether the work is done in other processes than this one."""
        return self.name == "ray"

    def seen(self, gpus: tuple[int, ...]) -> tuple[int, ...]:
        """Return the indices that GPUs have where the work is done: a worker counts its own from 0."""
        return tuple(range(len(gpus))) if self.is_pool else gpus

    def run(self, load: Load, rows: Sequence[Any], *, batch_size: int) -> Iterator[tuple[int, Any]]:
        """Yield (place, result) for every row exactly once, as soon as it is there, in any order.

        `load` is called once in each process, which for Ray has to be picklable. A worker that dies is started again;
        an error of the work itself is raised here as it would be without workers.
        """
        if not self.is_pool:
            yield from load()(rows)
            return
        done: set[int] = set()
        while len(done) < len(rows):
            left = [place for place in range(len(rows)) if place not in done]
            before = len(done)
            for place, result in _pool_results(self, load, [(place, rows[place]) for place in left], batch_size):
                if place not in done:  # what a worker gave before it died may come again
                    done.add(place)
                    yield place, result
            if len(done) == before:
                raise RuntimeError(f"Ray's workers gave no result for {len(left)} of {len(rows)} rows")


LOCAL = Engine()


def _pool_results(
    engine: Engine, load: Load, rows: Sequence[tuple[int, Any]], batch_size: int
) -> Iterator[tuple[int, Any]]:
    """Yield (place, result) as the workers of a pool give them."""
    ray = _start_ray()
    gpus, workers = _share_out(engine, ray)
    size = _rows_at_once(len(rows), workers, batch_size)
    # A block of Ray's is one item, which holds `size` rows: of more items it would make blocks of a size of its own.
    packed = [{"rows": pickle.dumps(rows[start : start + size])} for start in range(0, len(rows), size)]
    workers = min(workers, len(packed))
    source = ray.data.from_items(packed, override_num_blocks=len(packed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray 2.64 names max_restarts in another way
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
    results.context.target_max_block_size = 1  # bytes: a result is handed on when it is there, not with others
    try:
        for row in results.iter_rows():
            yield _unpacked(row)
    except ray.exceptions.RayError as error:
        raise RuntimeError(f"Ray gave up: {_gist(error)}; the same command goes on from here") from error


class _Worker:
    """What one process of the pool does; it loads when the first rows come, and never again."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._work: Work | None = None

    def __call__(self, block: Any) -> Iterator[Any]:
        import pyarrow

        placed = [one for item in block["rows"].to_pylist() for one in pickle.loads(item)]
        try:
            self._work = self._work or self._load()
            for index, result in self._work([row for _, row in placed]):
                yield pyarrow.table({"place": [placed[index][0]], "result": [pickle.dumps(result)]})
        except tuple(ERRORS.values()) as error:
            kind = next(name for name, kind in ERRORS.items() if isinstance(error, kind))
            yield pyarrow.table({"place": [-1], "result": [pickle.dumps((kind, str(error)))]})


def _unpacked(row: dict[str, Any]) -> tuple[int, Any]:
    """Return the place and result that a worker sent; raise the error that it sent instead."""
    result = pickle.loads(row["result"])
    if row["place"] < 0:
        kind, message = result
        raise ERRORS[kind](message)
    return row["place"], result


def _start_ray() -> Any:
    """Return the package ray, connected to the cluster of RAY_ADDRESS, or to one that is started on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its errors come as exceptions; the rest buries the bar
    try:
        import ray
        import ray.data
    except ImportError:
        raise ImportError(INSTALL) from None
    if not ray.is_initialized():
        own_code = str(Path(__file__).resolve().parents[1])  # sent to machines that have no copy of the project
        here = {} if os.environ.get("RAY_ADDRESS", "local") != "local" else {"include_dashboard": False}
        end = signal.getsignal(signal.SIGTERM)
        ray.init(runtime_env={"py_modules": [own_code]}, log_to_driver=False, logging_level=logging.ERROR, **here)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, end)  # Ray would end the process without a word
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    return ray


def _share_out(engine: Engine, ray: Any) -> tuple[int, int]:
    """Return how many GPUs each worker has, and how many workers there are."""
    there = _machines(ray, "GPU")
    gpus = engine.gpus if sum(there) else 0
    if engine.gpus and not gpus:
        log.info("no GPU in Ray's cluster: its workers run on CPUs")
    room = sum(int(number // gpus) for number in there) if gpus else len(there)
    if gpus and not room:
        raise ValueError(f"--n_gpu: no machine of Ray's cluster has {gpus} GPUs for one worker")
    workers = engine.workers or room
    if gpus and workers > room:
        log.warning("Ray's cluster has GPUs for %d of %d workers: the others wait for more", room, workers)
    return gpus, workers


def _machines(ray: Any, resource: str) -> list[float]:
    """Return how much of a resource each machine of the cluster has."""
    return [node["Resources"].get(resource, 0.0) for node in ray.nodes() if node["Alive"]]


def _cores_each(machines: Sequence[float], workers: int) -> float:
    """Return the largest number of cores that every worker can have on one machine; less than 1 where they share."""
    for cores in range(int(max(machines)), 0, -1):
        if sum(int(there // cores) for there in machines) >= workers:
            return cores
    return 1 / math.ceil(workers / max(1.0, sum(map(int, machines))))


def _rows_at_once(rows: int, workers: int, batch_size: int) -> int:
    """Return how many rows a worker is given: whole batches, few enough that every worker has several turns."""
    batches = rows // (batch_size * workers * 4)
    return batch_size * max(1, min(BATCHES_AT_ONCE, batches))


def _gist(error: Exception) -> str:
    """Return the line of Ray's long message that says what happened: the exception inside it, or else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in reversed(lines) if re.match(r"\w+(Error|Exception): ", line)), lines[0])
