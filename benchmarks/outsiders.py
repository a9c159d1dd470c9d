"""Two ways to run a checkpoint without the project's backends, for comparison: a plain loop, and CTranslate2."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from utils.llm import LLM, Answer, LLMOptions, Request
from utils.llm.hf.chat_format import ChatFormat


class PlainLoop:
    """A short loop: the file's order, left padding, one token limit for all answers, and the model's `generate`."""

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
            prompts = [self.chat.encode(request.prompt, request.earlier) for request in batch]
            inputs = self.chat.pad(prompts)
            output = self.model.generate(
                **inputs, do_sample=False, repetition_penalty=1.0, max_new_tokens=budget, eos_token_id=self.chat.stops
            )
            for request, prompt, row in zip(batch, prompts, output[:, inputs["input_ids"].shape[1] :], strict=True):
                yield _answer(self.chat, request, len(prompt), row.tolist())

    def _budget(self, requests: Sequence[Request]) -> int:
        """Return the most tokens of an answer: five times the number of characters of the longest prompt."""
        return 5 * max(len(request.prompt) for request in requests)


class BoundedPlainLoop(PlainLoop):
    """The same loop with a sensible token limit: the largest of this project's limits for the requests."""

    def _budget(self, requests: Sequence[Request]) -> int:
        return max(request.max_new_tokens for request in requests)


class CTranslate2:
    """CTranslate2 with int8 weights and batches of similar length; a batch has the largest limit of its requests."""

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
            prompts = [self.chat.encode(request.prompt, request.earlier) for request in batch]
            tokens = [self.chat.tokenizer.convert_ids_to_tokens(prompt) for prompt in prompts]
            results = self.generator.generate_batch(
                tokens,
                max_length=max(request.max_new_tokens for request in batch),
                include_prompt_in_result=False,
                end_token=self.chat.stops,
            )
            for request, prompt, result in zip(batch, prompts, results, strict=True):
                yield _answer(self.chat, request, len(prompt), result.sequences_ids[0])


OUTSIDERS: dict[str, Callable[[str, LLMOptions], LLM]] = {
    "plain": PlainLoop,
    "bounded-plain": BoundedPlainLoop,
    "ctranslate2": CTranslate2,
}


def _answer(chat: ChatFormat, request: Request, prompt_tokens: int, ids: list[int]) -> Answer:
    end = next((place for place, id_ in enumerate(ids) if id_ in chat.stops), len(ids))
    return Answer(request, chat.text(ids[:end]), "stop" if end < len(ids) else "length", prompt_tokens, end)
