"""A decoder that uses the model's own `generate`, on left-padded batches of prompts of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from utils.llm.base import Finish
from utils.llm.decoding.decoder import DecodedAnswer, EncodedRequest
from utils.llm.decoding.sampler import TokenSampler
from utils.llm.hf.chat_format import ChatFormat
from utils.llm.hf.checkpoint import CODE_ERRORS, wrong_version

if TYPE_CHECKING:  # llguidance may be missing in ChatGLM3's environment
    from utils.llm.decoding.guide import Guide


class BatchedDecoder:
    """Decodes with the code that comes with the model, so it can run every model."""

    def __init__(self, model: Any, chat: ChatFormat) -> None:
        self.model = model
        self.chat = chat
        # A checkpoint's own defaults may sample, or penalise repetition; annotation repeats the sentence's words.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=chat.stops, pad_token_id=chat.tokenizer.pad_token_id
        )

    def decode(
        self, requests: Sequence[EncodedRequest], batch_size: int, guide: Guide | None = None
    ) -> Iterator[DecodedAnswer]:
        ordered = iter(sorted(requests, key=lambda request: -request.length))
        while batch := list(islice(ordered, batch_size)):
            for request, output in zip(batch, self._outputs(batch, guide), strict=True):
                yield request, *self._cut(request, output)

    @torch.inference_mode()
    def _outputs(self, batch: Sequence[EncodedRequest], guide: Guide | None) -> list[list[int]]:
        """Return the ids that follow each prompt, up to the longest answer of the batch."""
        processors: list[LogitsProcessor] = [_SampleRows(batch)]
        if guide is not None:
            processors.insert(0, _GuideRows(batch, guide, self.chat.stops))
        inputs = self.chat.pad([request.prompt for request in batch])
        try:
            output = self.model.generate(
                **inputs.to(self.model.device),
                max_new_tokens=max(request.budget for request in batch),
                logits_processor=LogitsProcessorList(processors),
            )
        except CODE_ERRORS as error:
            raise wrong_version(self.model.name_or_path, error) from error
        answers: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
        return answers

    def _cut(self, request: EncodedRequest, output: list[int]) -> tuple[list[int], Finish]:
        """Return a request's own answer: without the stop id, and without tokens that only longer answers have."""
        output = output[: request.budget]
        end = next((index for index, id_ in enumerate(output) if id_ in self.chat.stops), None)
        return (output, "length") if end is None else (output[:end], "stop")


class _GuideRows(LogitsProcessor):
    """Holds each row of the batch to its grammar, if it has one, and stops the row at the grammar's end."""

    def __init__(self, batch: Sequence[EncodedRequest], guide: Guide, stops: Sequence[int]) -> None:
        grammars = [encoded.request.grammar for encoded in batch]
        self.states = [guide.start(grammar) if grammar else None for grammar in grammars]
        self.stops = stops
        self._has_started = False  # at the first call, the last id is the prompt's

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        from utils.llm.decoding.guide import mask_scores

        for state, token in zip(self.states, input_ids[:, -1].tolist(), strict=True):
            if self._has_started and state is not None and not state.is_complete and token not in self.stops:
                state.take(token)
        self._has_started = True
        allowed = mask_scores(scores, self.states)
        for row, state in enumerate(self.states):
            if state is not None and state.is_complete:
                allowed[row] = float("-inf")
                allowed[row, self.stops[0]] = 0.0
        return allowed


class _SampleRows(LogitsProcessor):
    """Draws the tokens of those rows of the batch that are not greedy."""

    def __init__(self, batch: Sequence[EncodedRequest]) -> None:
        samplings = [encoded.request.sampling for encoded in batch]
        self.samplers = [TokenSampler(sampling) if sampling else None for sampling in samplings]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        drawn = scores.float().clone()
        for row, sampler in enumerate(self.samplers):
            if sampler is not None:
                drawn[row] = sampler(drawn[row])
        return drawn
