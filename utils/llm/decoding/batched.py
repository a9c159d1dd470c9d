"""A decoder over the model's own `generate`: left-padded batches of rows of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from utils.llm.base import Finish
from utils.llm.decoding.decoder import Row
from utils.llm.decoding.sampler import Draw
from utils.llm.hf.chat_format import ChatFormat
from utils.llm.hf.checkpoint import CODE_ERRORS, wrong_version

if TYPE_CHECKING:  # it needs llguidance, which ChatGLM3's environment may be without
    from utils.llm.decoding.guide import Guide


class BatchedDecoder:
    """Decodes with whatever code the model brings along."""

    def __init__(self, model: Any, chat: ChatFormat) -> None:
        self.model = model
        self.chat = chat
        # A checkpoint's own defaults may sample, or penalise repetition, which annotation needs.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=chat.stops, pad_token_id=chat.tokenizer.pad_token_id
        )

    def decode(
        self, rows: Sequence[Row], batch_size: int, guide: Guide | None = None
    ) -> Iterator[tuple[Row, list[int], Finish]]:
        ordered = iter(sorted(rows, key=lambda row: -len(row.prompt) - row.budget))
        while batch := list(islice(ordered, batch_size)):
            for row, output in zip(batch, self._outputs(batch, guide), strict=True):
                yield row, *self._cut(row, output)

    @torch.inference_mode()
    def _outputs(self, batch: Sequence[Row], guide: Guide | None) -> list[list[int]]:
        steering = (
            [_RowDraws(batch)] if guide is None else [_RowGuides(batch, guide, self.chat.stops), _RowDraws(batch)]
        )
        inputs = self.chat.pad([row.prompt for row in batch])
        try:
            output = self.model.generate(
                **inputs.to(self.model.device),
                max_new_tokens=max(row.budget for row in batch),
                logits_processor=LogitsProcessorList(steering),
            )
        except CODE_ERRORS as error:
            raise wrong_version(self.model.name_or_path, error) from error
        answers: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
        return answers

    def _cut(self, row: Row, output: list[int]) -> tuple[list[int], Finish]:
        output = output[: row.budget]
        end = next((place for place, id_ in enumerate(output) if id_ in self.chat.stops), None)
        return (output, "length") if end is None else (output[:end], "stop")


class _RowGuides(LogitsProcessor):
    """Holds the answers of those rows that have a grammar to it; at its end they stop."""

    def __init__(self, rows: Sequence[Row], guide: Guide, stops: Sequence[int]) -> None:
        self.guided = [guide.follow(row.request.grammar) if row.request.grammar else None for row in rows]
        self.stops = stops
        self._begun = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for guided, token in zip(self.guided, input_ids[:, -1].tolist(), strict=True):
            if self._begun and guided is not None and not guided.is_complete and token not in self.stops:
                guided.take(token)
        self._begun = True
        from utils.llm.decoding.guide import forbid

        allowed = forbid(scores, self.guided)
        for row, guided in enumerate(self.guided):
            if guided is not None and guided.is_complete:
                allowed[row] = float("-inf")
                allowed[row, self.stops[0]] = 0.0
        return allowed


class _RowDraws(LogitsProcessor):
    """Draws the tokens of those rows that are not greedy."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.draws = [Draw(row.request.sampling) if row.request.sampling else None for row in rows]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        drawn = scores.float().clone()
        for place, draw in enumerate(self.draws):
            if draw is not None:
                drawn[place] = draw(drawn[place])
        return drawn
