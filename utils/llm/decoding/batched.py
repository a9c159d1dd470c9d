"""A decoder that uses the model's own `generate`, on left-padded batches of prompts of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import signature
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from utils.compute.transfers import indices_on
from utils.llm.base import Finish, Request
from utils.llm.decoding.decoder import DecodedAnswer, EncodedRequest, are_close
from utils.llm.decoding.next_tokens import TokenChooser, Turn
from utils.llm.decoding.sampler import TokenSampler
from utils.llm.hf.chat_format import ChatFormat
from utils.llm.hf.checkpoint import CODE_ERRORS, wrong_version
from utils.llm.hf.context import MAX_CONTEXT, short_rope_limit

if TYPE_CHECKING:  # llguidance may be missing in ChatGLM3's environment
    from utils.llm.decoding.guide import Guide


class BatchedDecoder:
    """Decodes with the code that comes with the model, so it can run every model.

    Models that read the padding of shorter prompts (`reads_padding`) need `one_at_a_time`.
    """

    def __init__(self, model: Any, chat: ChatFormat, *, one_at_a_time: bool = False) -> None:
        self.model = model
        self.chat = chat
        self.one_at_a_time = one_at_a_time
        self._limit = short_rope_limit(model.config) or MAX_CONTEXT
        self._takes_masks = "attention_mask" in signature(type(model).forward).parameters  # Mamba takes none
        # A checkpoint's own defaults may sample, or penalise repetition; annotation repeats the sentence's words.
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=chat.stops, pad_token_id=chat.tokenizer.pad_token_id
        )

    def decode(
        self, requests: Sequence[EncodedRequest], batch_size: int, guide: Guide | None = None
    ) -> Iterator[DecodedAnswer]:
        batch_size = 1 if self.one_at_a_time else batch_size
        for _, alike in groupby(sorted(requests, key=lambda one: (self._kind(one), -one.length)), self._kind):
            while batch := list(islice(alike, batch_size)):
                for request, output in zip(batch, self._outputs(batch, guide), strict=True):
                    yield request, *self._cut(request, output)

    @torch.inference_mode()
    def reads_padding(self, prompt: Sequence[int]) -> bool:
        """Return whether the padding before a prompt changes its scores, as in state-space models."""
        shorter = prompt[len(prompt) // 2 :]
        together = self._first_scores([prompt, shorter])
        alone = torch.cat([self._first_scores([one]) for one in (prompt, shorter)])
        return not are_close(together, alone, self.model.dtype)

    def _kind(self, request: EncodedRequest) -> int:
        """Return a number that is the same for all requests of a batch.

        A row that grows longer than the limit of short rotary embeddings needs a batch of its length.
        """
        length = len(request.prompt)
        if length <= self._limit < request.length:
            return length
        return 0 if length <= self._limit else MAX_CONTEXT

    def _first_scores(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the scores of the token after each prompt: (prompts, vocabulary), in float32."""
        output = self._generate(prompts, max_new_tokens=1, output_scores=True, return_dict_in_generate=True)
        scores: torch.Tensor = output.scores[0].float()
        return scores

    @torch.inference_mode()
    def _outputs(self, batch: Sequence[EncodedRequest], guide: Guide | None) -> list[list[int]]:
        """Return the ids that follow each prompt, up to the longest answer of the batch."""
        choose = _ChooseRows(batch, guide, self.chat.stops)
        prompts = [request.prompt for request in batch]
        output = self._generate(
            prompts,
            max_new_tokens=max(request.budget for request in batch),
            logits_processor=LogitsProcessorList([choose] if choose.is_needed else []),
        )
        answers: list[list[int]] = output[:, max(map(len, prompts)) :].tolist()
        return answers

    def _generate(self, prompts: Sequence[Sequence[int]], **settings: Any) -> Any:
        """Return what the model's `generate` returns for prompts."""
        try:
            inputs = self.chat.pad([list(prompt) for prompt in prompts]).to(self.model.device)
            if not self._takes_masks:
                del inputs["attention_mask"]
            return self.model.generate(**inputs, **settings)
        except CODE_ERRORS as error:
            raise wrong_version(self.model.name_or_path, error) from error

    def _cut(self, request: EncodedRequest, output: list[int]) -> tuple[list[int], Finish]:
        """Return a request's own answer: without the stop id, and without tokens that only longer answers have."""
        output = output[: request.budget]
        end = next((index for index, id_ in enumerate(output) if id_ in self.chat.stops), None)
        return (output, "length") if end is None else (output[:end], "stop")


class _ChooseRows(LogitsProcessor):
    """Chooses the next token of each row of a batch, and leaves only this one possible."""

    def __init__(self, batch: Sequence[EncodedRequest], guide: Guide | None, stops: Sequence[int]) -> None:
        self.turns = [_turn(encoded.request, guide) for encoded in batch]
        self.stops = stops
        # `generate` leaves no time in which other threads could work.
        self.chooser = TokenChooser(torch.device("cpu"), guide)
        self._ended: set[int] = set()  # rows

    @property
    def is_needed(self) -> bool:
        """Whether some row is guided or drawn; if not, `generate` itself takes the best tokens."""
        return any(turn.grammar is not None or turn.sampler is not None for turn in self.turns)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = self.chooser.tokens(self.chooser.prepare(self.turns), scores.float())
        (chosen,) = indices_on(scores.device, [self._followed(row, token) for row, token in enumerate(tokens)])
        return torch.full_like(scores, float("-inf")).scatter(1, chosen[:, None], 0.0)

    def _followed(self, row: int, token: int) -> int:
        """Return a row's next token, and move on in its grammar; return a stop id after the end of the grammar."""
        grammar = self.turns[row].grammar
        if grammar is None:
            return token
        if row in self._ended or grammar.is_complete:
            return self.stops[0]
        if token in self.stops:
            self._ended.add(row)
        else:
            grammar.take(token)
        return token


def _turn(request: Request, guide: Guide | None) -> Turn:
    grammar = guide.start(request.grammar) if guide is not None and request.grammar else None
    return Turn(grammar, TokenSampler(request.sampling) if request.sampling else None)
