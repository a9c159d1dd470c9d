"""llama.cpp's in-process server (PyPI's xllamacpp): its parameters, its start, and its HTTP routes."""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Sequence
from typing import Any

from utils.compute.gpus import existing_gpus
from utils.llm.base import LLMOptions

log = logging.getLogger(__name__)

ALL_LAYERS = 999  # for n_gpu_layers: more layers than any model has


class Loopback:
    """The HTTP routes of an in-process server that have no function in xllamacpp."""

    def __init__(self) -> None:
        # Without proxies: one that the environment names could not reach this machine's loopback address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def post(self, server: Any, route: str, body: dict[str, Any]) -> Any:
        """Return the JSON value with which a route answers."""
        return self._fetch(server, route, json.dumps(body).encode())

    def get(self, server: Any, route: str) -> Any:
        """Return the JSON value with which a route answers."""
        return self._fetch(server, route, None)

    def _fetch(self, server: Any, route: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(server.listening_address + route, body, headers)
        with self._opener.open(request, timeout=600) as reply:
            return json.load(reply)


def server_parameters(model: str, options: LLMOptions, *, slots: int, context: int, folder: str) -> Any:
    """Return the parameters of a server: `slots` sequences of `context` tokens, whose states are saved in `folder`."""
    xllamacpp = import_engine()
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.slot_save_path = f"{folder}{os.sep}"
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = core_count()
    params.verbosity = -1
    params.ui = False
    place_layers(params, options.gpus, xllamacpp)
    return params


def import_engine() -> Any:
    """Return the module xllamacpp; raise ImportError with the install command if it is missing."""
    try:
        import xllamacpp
    except ImportError:
        raise ImportError("--backend=llamacpp needs llama.cpp: pip install xllamacpp") from None
    return xllamacpp


def start_server(params: Any, model: str) -> Any:
    """Load the model and return its server; raise RuntimeError that names the file if llama.cpp cannot load it."""
    import xllamacpp

    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise RuntimeError(
            f"{model}: llama.cpp cannot load it ({error}) Either the file is damaged (download it again), or this "
            "version does not know the model (pip install --upgrade xllamacpp), or the memory is too small for it"
        ) from None


def place_layers(params: Any, asked: Sequence[int], xllamacpp: Any) -> None:
    """Put the whole model on the asked GPUs, or on the CPU if the default is missing.

    Raises ValueError if another one is missing.
    """
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    existing = sum(device["type"] != cpu for device in xllamacpp.get_device_info())
    gpus = existing_gpus(asked, existing)
    if asked and not gpus:
        log.info("llama.cpp cannot use GPU %s: running on the CPU", ",".join(map(str, asked)))
    params.n_gpu_layers = ALL_LAYERS if gpus else 0
    if gpus:
        modes = xllamacpp.llama_split_mode
        params.split_mode = modes.LLAMA_SPLIT_MODE_LAYER if len(gpus) > 1 else modes.LLAMA_SPLIT_MODE_NONE
        params.main_gpu = gpus[0]
        params.tensor_split = [float(index in gpus) for index in range(len(params.tensor_split))]


def core_count() -> int:
    """Return the number of cores that this process may use; Ray sets OMP_NUM_THREADS to a worker's share."""
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        return int(os.environ["OMP_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
