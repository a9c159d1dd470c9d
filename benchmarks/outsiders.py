"""Ways to run a checkpoint that are none of the project's backends, to compare with: a plain loop, and CTranslate2."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from utils.llm import LLMOptions
from utils.llm.base import Answer, Request
from utils.llm.hf.chat_format import ChatFormat


class PlainLoop:
    """What a script of thirty lines does: file order, left padding, one budget for all, the model's own `generate`."""

    def __init__(self, model: str, options: LLMOptions) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.batch_size = options.batch_size
        self.model = AutoModelForCausalLM.from_pretrained(model, torch_dtype=torch.bfloat16).eval()
        self.chat = ChatFormat(AutoTokenizer.from_pretrained(model), self.model)

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        budget = self._budget(requests)
        rows = iter(requests)
        while batch := list(islice(rows, self.batch_size)):
            prompts = [self.chat.encode(request.prompt) for request in batch]
            inputs = self.chat.pad(prompts)
            output = self.model.generate(
                **inputs, do_sample=False, repetition_penalty=1.0, max_new_tokens=budget, eos_token_id=self.chat.stops
            )
            for request, prompt, row in zip(batch, prompts, output[:, inputs["input_ids"].shape[1] :], strict=True):
                yield _answer(self.chat, request, len(prompt), row.tolist())

    def _budget(self, requests: Sequence[Request]) -> int:
        """Return how many tokens each answer may have: five times as many as the longest prompt has characters."""
        return 5 * max(len(request.prompt) for request in requests)


class BoundedPlainLoop(PlainLoop):
    """The same with a budget that somebody has thought about: the longest of those of this project."""

    def _budget(self, requests: Sequence[Request]) -> int:
        return max(request.max_new_tokens for request in requests)


class CTranslate2:
    """CTranslate2 with int8 weights: sorted batches, each row's own budget as far as a batch lets it have one."""

    def __init__(self, model: str, options: LLMOptions) -> None:
        import ctranslate2
        from transformers import AutoConfig, AutoTokenizer, GenerationConfig

        self.batch_size = options.batch_size
        folder = Path(tempfile.mkdtemp()) / "converted"
        ctranslate2.converters.TransformersConverter(model).convert(str(folder), quantization="int8")
        self.generator = ctranslate2.Generator(str(folder), device="cpu", intra_threads=2)
        known: Any = type("Known", (), {})()
        known.config, known.generation_config = (
            AutoConfig.from_pretrained(model),
            GenerationConfig.from_pretrained(model),
        )
        self.chat = ChatFormat(AutoTokenizer.from_pretrained(model), known)

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        rows = iter(sorted(requests, key=lambda request: -len(request.prompt)))
        while batch := list(islice(rows, self.batch_size)):
            prompts = [self.chat.encode(request.prompt) for request in batch]
            tokens = [self.chat.tokenizer.convert_ids_to_tokens(prompt) for prompt in prompts]
            results = self.generator.generate_batch(
                tokens,
                max_length=max(request.max_new_tokens for request in batch),
                include_prompt_in_result=False,
                end_token=self.chat.stops,
            )
            for request, prompt, result in zip(batch, prompts, results, strict=True):
                yield _answer(self.chat, request, len(prompt), result.sequences_ids[0])


OUTSIDERS = {"plain": PlainLoop, "bounded-plain": BoundedPlainLoop, "ctranslate2": CTranslate2}


def _answer(chat: ChatFormat, request: Request, prompt_tokens: int, ids: list[int]) -> Answer:
    end = next((place for place, id_ in enumerate(ids) if id_ in chat.stops), len(ids))
    return Answer(request, chat.text(ids[:end]), "stop" if end < len(ids) else "length", prompt_tokens, end)
