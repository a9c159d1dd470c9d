"""Backend `llamacpp`: a `.gguf` file in llama.cpp (PyPI's xllamacpp), several sequences at once, guided by GBNF."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from utils.llm.base import Answer, Finish, LLMOptions, Request

SLOTS = 8  # sequences at once, at the most
TOKENS_A_SLOT = 4096
MARK = "\ue000sentence\ue000"  # stands for the user's message while the template is filled


class LlamaCpp:
    """A model in an in-process llama.cpp server."""

    def __init__(self, server: Any, slots: int) -> None:
        self.server = server
        self.slots = slots
        # The loopback address must not go through a proxy that the environment names.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        frame = self._post("/apply-template", {"messages": [{"role": "user", "content": MARK}]})["prompt"]
        self._before, self._after = (self._tokens(part, special=True) for part in frame.split(MARK))

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        # Long answers first, so that no slot is left with a long one at the end.
        ordered = sorted(requests, key=lambda request: -request.max_new_tokens)
        pool = ThreadPoolExecutor(self.slots)
        try:
            for done in as_completed([pool.submit(self._answer, request) for request in ordered]):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an answer under way would hold up whoever stops

    def _answer(self, request: Request) -> Answer:
        # Tokens of the message are never special ones: a role token inside it stays text.
        prompt = [*self._before, *self._tokens(request.prompt, special=False), *self._after]
        budget = min(request.max_new_tokens, TOKENS_A_SLOT - len(prompt) - 1)
        if budget < 1:
            return Answer(request, "", "length", len(prompt), 0)
        reply = self.server.handle_completions(
            {"prompt": prompt, "max_tokens": budget, "cache_prompt": True, **_decoding(request)}
        )
        if "choices" not in reply:
            raise RuntimeError(f"llama.cpp refused the request for sentence {request.id}: {json.dumps(reply)[:300]}")
        choice, usage = reply["choices"][0], reply["usage"]
        finish: Finish = "length" if choice["finish_reason"] == "length" else "stop"
        return Answer(request, choice["text"], finish, usage["prompt_tokens"], usage["completion_tokens"])

    def _tokens(self, text: str, *, special: bool) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": special}
        return list(self._post("/tokenize", body)["tokens"])

    def _post(self, route: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.server.listening_address + route, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=60) as reply:
            return json.load(reply)


def load(model: str, options: LLMOptions) -> LlamaCpp:
    """Start a server on a `.gguf` file; raises ImportError with the install command where xllamacpp is missing."""
    try:
        import xllamacpp
    except ImportError:
        raise ImportError(".gguf files need llama.cpp: pip install xllamacpp") from None
    slots = min(SLOTS, options.batch_size)
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_parallel = slots
    params.n_ctx = slots * TOKENS_A_SLOT
    params.n_gpu_layers = 999 if options.gpus else 0
    params.main_gpu = options.gpus[0] if options.gpus else 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    params.verbosity = -1
    params.ui = False
    return LlamaCpp(xllamacpp.Server(params), slots)


def _decoding(request: Request) -> dict[str, Any]:
    grammar = {"grammar": request.grammar} if request.grammar else {}
    if request.sampling is None:
        return {"temperature": 0.0, "repeat_penalty": 1.0, **grammar}
    drawn = request.sampling
    return {"temperature": drawn.temperature, "top_p": drawn.top_p, "top_k": 0, "seed": drawn.seed, **grammar}


def _cores() -> int:
    """Return how many cores this process may use; Ray tells a worker its share by the usual variable."""
    if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
        return int(os.environ["OMP_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
