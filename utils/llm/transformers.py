"""Backend `transformers`: a chat checkpoint on GPUs or the CPU, in left-padded batches of similar length."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
)
from transformers import __version__ as transformers_version

from utils.devices import choose_dtype, usable_gpus
from utils.llm.base import Answer, Finish, LLMOptions, Request, Sampling

log = logging.getLogger(__name__)

# Tokens that end a turn in one family or another; `generation_config` does not always name them all.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|user|>", "<|observation|>", "<end_of_turn>", "<|end|>")
MARK = "\ue000sentence\ue000"  # stands for the user's message while the template is filled


class TransformersLLM:
    """A chat model and its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any, batch_size: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.stops = _stop_ids(model, tokenizer)
        self._special = _inside_special_tokens(tokenizer)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "left"
        tokenizer.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True  # prompts are padded once encoded
        # A checkpoint's own defaults may sample, or penalise repetition, which annotation needs.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=self.stops, pad_token_id=tokenizer.pad_token_id
        )

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        prompts = [(request, self.encode(request.prompt)) for request in requests]
        prompts.sort(key=lambda pair: -len(pair[1]) - pair[0].max_new_tokens)
        rows = iter(prompts)
        while batch := list(islice(rows, self.batch_size)):
            yield from self._answer_batch(batch)

    def encode(self, message: str) -> list[int]:
        """Return the token ids of a prompt; a role token inside `message` stays plain text."""
        if hasattr(self.tokenizer, "build_chat_input"):  # ChatGLM3: a template would spell its roles out
            return [int(id_) for id_ in self.tokenizer.build_chat_input(message)["input_ids"][0]]
        before, after = self._frame()
        parts = self._special.split(message)
        if len(parts) == 1:
            return self._ids(before + message + after)
        return [*self._ids(before), *(id_ for part in parts for id_ in self._ids(part)), *self._ids(after)]

    @torch.inference_mode()
    def _answer_batch(self, batch: Sequence[tuple[Request, list[int]]]) -> Iterator[Answer]:
        requests = [request for request, _ in batch]
        inputs = self.tokenizer.pad({"input_ids": [ids for _, ids in batch]}, padding=True, return_tensors="pt")
        width = inputs["input_ids"].shape[1]
        budget = max(request.max_new_tokens for request in requests)
        output = self.model.generate(
            **inputs.to(self.model.device),
            max_new_tokens=budget,
            logits_processor=LogitsProcessorList([_RowSampling([request.sampling for request in requests])]),
        )
        for (request, prompt), row in zip(batch, output[:, width:].tolist(), strict=True):
            yield self._answer(request, len(prompt), row)

    def _answer(self, request: Request, prompt_tokens: int, row: list[int]) -> Answer:
        row = row[: request.max_new_tokens]
        length = next((place for place, id_ in enumerate(row) if id_ in self.stops), None)
        text = self.tokenizer.decode(row[:length], skip_special_tokens=True).strip()
        finish: Finish = "length" if length is None else "stop"
        return Answer(request, text, finish, prompt_tokens, len(row) if length is None else length + 1)

    def _frame(self) -> tuple[str, str]:
        """Return what the chat template writes before and after a user's message."""
        messages = [{"role": "user", "content": MARK}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, after = text.split(MARK)
        return before, after

    def _ids(self, text: str) -> list[int]:
        # The template has written the special tokens already.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


class _RowSampling(LogitsProcessor):
    """Draws each row's token with the row's own generator, so that an answer does not depend on its batch.

    Gumbel noise on the scaled logits makes the arg max a draw from the softmax (the Gumbel-max trick).
    """

    def __init__(self, rows: Sequence[Sampling | None]) -> None:
        self.rows = rows
        self.generators = [torch.Generator().manual_seed(row.seed) if row else None for row in rows]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        drawn = scores.float().clone()
        for place, (row, generator) in enumerate(zip(self.rows, self.generators, strict=True)):
            if row is not None and row.temperature > 0:
                logits = _nucleus(drawn[place] / row.temperature, row.top_p)
                noise = torch.rand(logits.shape, generator=generator).to(logits.device)
                drawn[place] = logits - torch.log(-torch.log(noise.clamp(1e-20, 1 - 1e-7)))
        return drawn


def _nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Return `logits` (vocabulary,) with all outside the smallest set of probability `top_p` at -inf."""
    ordered, order = logits.sort(descending=True)
    probabilities = ordered.softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities > top_p
    return logits.scatter(0, order[outside], float("-inf"))


def load(model: str, options: LLMOptions) -> TransformersLLM:
    """Load a checkpoint folder, or a hub id, onto the asked GPUs or the CPU."""
    trust = options.trust_remote_code or _trusts_folder(model)
    gpus = usable_gpus(options.gpus)
    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=trust)
    if not hasattr(tokenizer, "build_chat_input") and not getattr(tokenizer, "chat_template", None):
        raise ValueError(f"{model}: its tokenizer has no chat template; a chat (instruct) model is needed")
    dtype = choose_dtype(options.dtype, on_gpu=bool(gpus))
    loaded = AutoModelForCausalLM.from_pretrained(
        model,
        trust_remote_code=trust,
        torch_dtype=dtype,
        **(_on_gpus(gpus) if gpus else _on_cpu(dtype)),
    )
    return TransformersLLM(loaded.eval(), tokenizer, options.batch_size)


def _on_gpus(gpus: Sequence[int]) -> dict[str, Any]:
    """Return how a checkpoint is loaded onto one GPU, or spread over several."""
    if len(gpus) == 1:
        return {"device_map": {"": gpus[0]}}
    return {"device_map": "auto", "max_memory": {index: torch.cuda.mem_get_info(index)[0] for index in gpus}}


def _on_cpu(dtype: torch.dtype) -> dict[str, Any]:
    """Return how a checkpoint is loaded for the CPU.

    In bfloat16, torch's fused attention decodes 3 times slower there than plain products (benchmarks/README.md).
    transformers has had the choice since 4.36.
    """
    major, minor = map(int, transformers_version.split(".")[:2])
    return {"attn_implementation": "eager"} if dtype == torch.bfloat16 and (major, minor) >= (4, 36) else {}


def _trusts_folder(model: str) -> bool:
    """Tell whether `model` is a local folder, whose code the documented models need; warn where it has any."""
    folder = Path(model)
    if not folder.is_dir():
        return False
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for target in sorted(set((config.get("auto_map") or {}).values())):
        log.warning("running the checkpoint's own code: %s", folder / f"{target.split('.')[0]}.py")
        break
    return True


def _inside_special_tokens(tokenizer: Any) -> re.Pattern[str]:
    """Match the place behind the first character of each special token: cut there, none is left whole."""
    tokens = sorted(set(tokenizer.get_added_vocab()) | set(tokenizer.all_special_tokens))
    inside = [f"(?<={re.escape(token[0])})(?={re.escape(token[1:])})" for token in tokens if len(token) > 1]
    return re.compile("|".join(inside) or r"(?!)")


def _stop_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return every id that ends an answer: the checkpoint's own, the tokenizer's, and the family's turn ends."""
    configured = [model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id]
    ids = {id_ for value in configured if value is not None for id_ in (value if isinstance(value, list) else [value])}
    special = tokenizer.get_added_vocab()
    return sorted(ids | {special[token] for token in TURN_ENDS if token in special})
