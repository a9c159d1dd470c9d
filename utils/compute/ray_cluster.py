"""Work over rows in a pool of workers of a Ray cluster."""

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
from itertools import cycle
from pathlib import Path
from typing import Any

from utils.compute.ordered_map import Block, Result, in_order
from utils.wording import counted

log = logging.getLogger(__name__)

Work = Callable[[Sequence[Any]], Iterable[tuple[int, Any]]]  # rows -> (index of a row, its result)
Load = Callable[[], Work]  # called once in each process, for example to load a model

RESTARTS = 3  # of a worker, and attempts to repeat its rows, before the run fails
MAX_BATCHES = 4  # given to a worker at a time; if it dies, they are computed again
INSTALL = "--engine=ray needs Ray: pip install 'ray[data]>=2.51,<2.64'"

# Errors that a worker sends by name, so that this process raises them as it would without workers.
ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (FileNotFoundError, ValueError, ImportError, OSError, MemoryError, RuntimeError)
}


def map_on_ray(
    work: Callable[[Block], Result], blocks: Iterable[Block], *, whole_machines: bool, workers: int | None, gpus: int
) -> Iterator[Result]:
    """Yield the result of each block, in their order, from actors of a Ray cluster that take turns."""
    ray = start_ray()
    gpus, number = _share_out(ray, workers, gpus)
    cores = 1 if gpus else _cores_each(_machines(ray, "CPU"), number)
    options = {"num_cpus": cores if whole_machines else min(1, cores), "num_gpus": gpus}
    actor = ray.remote(**options, max_restarts=RESTARTS, max_task_retries=RESTARTS)(_BlockWorker)
    actors = [actor.remote(work) for _ in range(number)]
    started = (one.run.remote(block) for one, block in zip(cycle(actors), blocks, strict=False))
    try:
        yield from in_order(started, ray.get, number)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise RuntimeError(f"Ray failed: {_summary(error)}; run the same command again") from error


def run_on_ray(
    load: Load, rows: Sequence[tuple[int, Any]], batch_size: int, *, workers: int | None, gpus: int
) -> Iterator[tuple[int, Any]]:
    """Yield (index, result) from a pool of workers, for rows (index, row)."""
    ray = start_ray()
    gpus, number = _share_out(ray, workers, gpus)
    size = _rows_at_once(len(rows), number, batch_size)
    # One item per block of Ray, with `size` pickled rows: Ray would choose its own block size for more items.
    packed = [{"rows": pickle.dumps(rows[start : start + size])} for start in range(0, len(rows), size)]
    if workers and len(packed) < workers:
        log.info("%d of %d workers are used: there are only %d batches", len(packed), workers, len(packed))
    number = min(number, len(packed))
    source = ray.data.from_items(packed, override_num_blocks=len(packed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray 2.64 has another name for max_restarts
        results = source.map_batches(
            _Worker,
            fn_constructor_args=(load,),
            batch_size=None,  # a whole block
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=number, max_tasks_in_flight_per_actor=1),
            num_cpus=1 if gpus else _cores_each(_machines(ray, "CPU"), number),
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


class _BlockWorker:
    """One process of the cluster."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._work = work

    def run(self, block: Any) -> Any:
        """Return the result of a block."""
        return self._work(block)


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


def start_ray() -> Any:
    """Return the package ray, connected to the cluster at RAY_ADDRESS or else to a new one on this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray also raises its errors; its log would bury the progress bar.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
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


def _share_out(ray: Any, workers: int | None, gpus: int) -> tuple[int, int]:
    """Return (GPUs per worker, number of workers), from the numbers that the user asks for."""
    available = _machines(ray, "GPU")
    if gpus and not sum(available):
        if gpus > 1:
            raise ValueError(f"--n_gpu: Ray's cluster has no GPU, and a worker needs {gpus}; -1 chooses its CPUs")
        log.info("Ray's cluster has no GPU: its workers run on CPUs")
        gpus = 0
    room = sum(int(number // gpus) for number in available) if gpus else len(available)
    if gpus and not room:
        raise ValueError(
            f"--n_gpu lists {counted(gpus, 'GPU')} for each worker, but no machine of Ray's cluster has as many: "
            "list fewer GPUs"
        )
    workers = workers or room
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
