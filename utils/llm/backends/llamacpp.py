"""Backend `llamacpp`: a `.gguf` file in llama.cpp (PyPI's xllamacpp), several sequences at once, held to grammars."""

from __future__ import annotations

import json
import logging
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from utils.llm.base import MARK, Answer, Finish, LLMOptions, Request
from utils.llm.grammar_dialects import as_llguidance

log = logging.getLogger(__name__)

SLOTS = 8  # sequences at once, at the most
TOKENS_A_SLOT = 4096  # to begin with; more where a request needs it and the model can
SHORTEST_PREFIX = 32  # tokens that are worth sharing


class LlamaCpp:
    """A model in an in-process llama.cpp server."""

    def __init__(self, model: str, options: LLMOptions, *, counts_only: bool = False) -> None:
        self._model = model
        self._counts_only = counts_only
        self._options = options
        self._folder = TemporaryDirectory(prefix="llamacpp-")  # where a slot's state passes to the others
        # The loopback address must not go through a proxy that the environment names.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._start(TOKENS_A_SLOT)
        frame = self._post("/apply-template", {"messages": [{"role": "user", "content": MARK}]})["prompt"]
        self._before, self._after = (self._tokens(part, special=True) for part in frame.split(MARK))

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Long answers first, so that no slot is left with a long one at the end.
        rows = [
            (request, self.encode(request.prompt)) for request in sorted(requests, key=lambda one: -one.max_new_tokens)
        ]
        self._make_room(max((len(prompt) + request.max_new_tokens for request, prompt in rows), default=0))
        self._share(common_start([prompt for _, prompt in rows]) if len(rows) > 1 else [])
        with ThreadPoolExecutor(self.slots) as pool:
            closed = threading.Event()
            try:
                for done in as_completed([pool.submit(self._answer, *row, closed) for row in rows]):
                    yield done.result()
            finally:
                closed.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def encode(self, message: str) -> list[int]:
        """Return the token ids of a prompt; those of the message are never special ones: a role token stays text."""
        return [*self._before, *self._tokens(message, special=False), *self._after]

    def _answer(self, request: Request, prompt: list[int], closed: threading.Event) -> Answer:
        budget = min(request.max_new_tokens, self.context - len(prompt) - 1)
        if budget < 1:
            return Answer(request, "", "length", len(prompt), 0)
        chunks: list[dict[str, Any]] = []

        def take(chunk: dict[str, Any]) -> bool:
            """Keep a piece of the answer; true ends it."""
            chunks.append(chunk)
            return closed.is_set()

        body = {"prompt": prompt, "max_tokens": budget, "cache_prompt": True, **_decoding(request)}
        self.server.handle_completions({**body, "stream": True, "stream_options": {"include_usage": True}}, take)
        return _read(chunks, request, len(prompt))

    def _start(self, context: int) -> None:
        """Start the server with so many tokens for each slot, or as many as the model can; large slots are fewer."""
        self.slots = max(1, min(SLOTS, self._options.batch_size, SLOTS * TOKENS_A_SLOT // context))
        self.server: Any = None  # the one before lets go of its memory first
        params = _params(self._model, self._options, slots=self.slots, context=context, folder=self._folder.name)
        if self._counts_only:  # the weights stay on disk, where llama.cpp maps them
            params.no_extra_bufts = True  # else it reads them all, to pack them
            params.warmup = False
        self.server = _server(params)
        self.context = int(self._get("/props")["default_generation_settings"]["n_ctx"])
        self._full = self.context < context

    def _make_room(self, tokens: int) -> None:
        """Start the server anew where its slots are too small for a prompt with its answer, and can be larger."""
        if tokens >= self.context and not self._full:
            self._start(1 << tokens.bit_length())
            log.info("the longest prompt and answer take %d tokens: %d sequences at once", tokens, self.slots)

    def _share(self, prefix: Sequence[int]) -> None:
        """Evaluate what all prompts begin with once, and hand it to every slot."""
        if SHORTEST_PREFIX <= len(prefix) < self.context and self.slots > 1:
            self.server.handle_completions({"prompt": list(prefix), "max_tokens": 1, "id_slot": 0})
            self._post("/slots/0?action=save", {"filename": "prefix"})
            for slot in range(1, self.slots):
                self._post(f"/slots/{slot}?action=restore", {"filename": "prefix"})
            (Path(self._folder.name) / "prefix").unlink()

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": special}
        return list(self._post("/tokenize", body)["tokens"])

    def _post(self, route: str, body: dict[str, Any]) -> Any:
        return self._fetch(route, json.dumps(body).encode())

    def _get(self, route: str) -> Any:
        return self._fetch(route, None)

    def _fetch(self, route: str, body: bytes | None) -> Any:
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.server.listening_address + route, body, kind)
        with self._opener.open(request, timeout=600) as reply:
            return json.load(reply)


def common_start(rows: Sequence[Sequence[int]]) -> list[int]:
    """Return what all rows begin with."""
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, zip(*rows, strict=False))]


def load(model: str, options: LLMOptions) -> LlamaCpp:
    """Start a server on a `.gguf` file; raises ImportError with the install command where xllamacpp is missing."""
    return LlamaCpp(model, options)


def load_counter(model: str, options: LLMOptions) -> Callable[[str], int]:
    """Return what counts the tokens of a message's prompt."""
    llm = LlamaCpp(model, replace(options, gpus=(), batch_size=1), counts_only=True)
    return lambda message: len(llm.encode(message))


def _params(model: str, options: LLMOptions, *, slots: int, context: int, folder: str) -> Any:
    try:
        import xllamacpp
    except ImportError:
        raise ImportError(".gguf files need llama.cpp: pip install xllamacpp") from None
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.slot_save_path = f"{folder}{os.sep}"
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.verbosity = -1
    params.ui = False
    _place(params, options.gpus, xllamacpp)
    return params


def _server(params: Any) -> Any:
    import xllamacpp

    return xllamacpp.Server(params)


def _place(params: Any, asked: Sequence[int], xllamacpp: Any) -> None:
    """Put the whole model on the asked GPUs that are there, spread over them if they are several, or on the CPU."""
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    there = sum(device["type"] != cpu for device in xllamacpp.get_device_info())
    gpus = [index for index in asked if index < there]
    if asked and not gpus:
        log.info("no GPU %s that llama.cpp can use: running on the CPU", ",".join(map(str, asked)))
    params.n_gpu_layers = 999 if gpus else 0
    if gpus:
        modes = xllamacpp.llama_split_mode
        one = len(gpus) == 1
        params.split_mode = modes.LLAMA_SPLIT_MODE_NONE if one else modes.LLAMA_SPLIT_MODE_LAYER
        params.main_gpu = gpus[0]
        params.tensor_split = [float(index in gpus) for index in range(len(params.tensor_split))]


def _decoding(request: Request) -> dict[str, Any]:
    """Return how an answer is drawn, with none of llama.cpp's own samplers besides.

    llama.cpp's own reading of grammars would let a control token pass as the text that it is called by, and a character
    be spelt by too many bytes; llguidance's does not.
    """
    grammar = {"grammar": as_llguidance(request.grammar)} if request.grammar else {}
    if request.sampling is None:
        return {"temperature": 0.0, "repeat_penalty": 1.0, **grammar}
    drawn = request.sampling
    how = {"temperature": drawn.temperature, "top_p": drawn.top_p, "seed": drawn.seed}
    return {**how, "samplers": ["temperature", "top_p"], **grammar}


def _read(chunks: Sequence[dict[str, Any]], request: Request, prompt_tokens: int) -> Answer:
    """Return the answer that came in pieces; raise RuntimeError where llama.cpp refused to give one."""
    choices = [choice for chunk in chunks for choice in chunk.get("choices", ())]
    if not choices:
        refusal = json.dumps(chunks[:1])[:300]
        raise RuntimeError(f"llama.cpp refused the request for sentence {request.id}: {refusal}")
    text = "".join(choice["text"] for choice in choices)
    finish: Finish = "length" if choices[-1]["finish_reason"] == "length" else "stop"
    tokens = next((chunk["usage"]["completion_tokens"] for chunk in chunks if chunk.get("usage")), 0)
    return Answer(request, text.strip(), finish, prompt_tokens, tokens)


def _cores() -> int:
    """Return how many cores this process may use; Ray tells a worker its share by the usual variable."""
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        return int(os.environ["OMP_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
