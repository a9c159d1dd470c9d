"""Backend `transformers`: a chat checkpoint on GPUs or the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from utils.compute.devices import usable_gpus
from utils.compute.onednn import pack_linears
from utils.llm.base import LLM, Answer, LLMOptions, Request
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.decoder import LONGEST, Decoder, Row, context_of
from utils.llm.hf.chat_format import ChatFormat, chat_format
from utils.llm.hf.checkpoint import HAS_CACHES, Checkpoint
from utils.llm.hf.copies import Copies
from utils.llm.hf.placement import Placement, devices_of

if TYPE_CHECKING:  # it needs llguidance, which ChatGLM3's environment may be without
    from utils.llm.decoding.guide import Guide

log = logging.getLogger(__name__)

# Two prompts, to find out how a model can be run.
SAMPLES = ("Name the words of: She quickly paid twenty euros for it.", "Who flew from Osaka to join Boeing in May?")


class TransformersLLM:
    """A family's chat format, and the decoder that runs its model."""

    def __init__(self, chat: ChatFormat, decoder: Decoder, batch_size: int, context: int = LONGEST) -> None:
        self.chat = chat
        self.decoder = decoder
        self.batch_size = batch_size
        self.context = context

    @cached_property
    def _guide(self) -> Guide:
        from utils.llm.decoding.guide import Guide

        return Guide(self.chat.tokenizer, self.chat.stops)

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        rows = {request: Row(request, self.chat.encode(request.prompt), self.context) for request in requests}
        for row in [row for row in rows.values() if not row.budget]:
            del rows[row.request]
            yield Answer(row.request, "", "length", len(row.prompt), 0)
        while rows:
            try:
                yield from self._answers(rows)
                return
            except torch.cuda.OutOfMemoryError:
                pass
            self._halve_batches()  # not in the handler, which still holds the tensors of the batch that failed

    def _answers(self, rows: dict[Request, Row]) -> Iterator[Answer]:
        """Yield answers, and take each one's row away."""
        guide = self._guide if any(request.grammar for request in rows) else None
        for row, ids, finish in self.decoder.decode(list(rows.values()), self.batch_size, guide):
            del rows[row.request]
            yield Answer(row.request, self.chat.text(ids), finish, len(row.prompt), len(ids) + (finish == "stop"))

    def _halve_batches(self) -> None:
        """Go on with half as many rows at once; raise RuntimeError where there is but one."""
        if self.batch_size == 1:
            raise RuntimeError(
                "out of GPU memory with one sentence at a time: --load_in=8bit or 4bit, more GPUs (--n_gpu=0,1), "
                "or a smaller model"
            )
        self.batch_size //= 2
        log.warning("out of GPU memory: going on with %d sentences at once", self.batch_size)
        torch.cuda.empty_cache()


def load(model: str, options: LLMOptions) -> LLM:
    """Load a checkpoint folder, or a hub id: a copy on each GPU where it fits on one, or one over all; else the CPU."""
    gpus = usable_gpus(options.gpus)
    if options.load_in is not None and not gpus:
        raise ValueError(f"--load_in={options.load_in} needs a GPU; on the CPU, a quantised .gguf file does the same")
    checkpoint = Checkpoint(model, options)
    copies = [checkpoint.load(Placement(gpus))]
    if len(gpus) > 1 and len(devices_of(copies[0][0])) < 2:
        copies += [checkpoint.load(Placement([gpu])) for gpu in gpus[1:]]
    llms = [_llm(loaded, tokenizer, options.batch_size) for loaded, tokenizer in copies]
    return Copies(llms) if len(llms) > 1 else llms[0]


def load_counter(model: str, options: LLMOptions) -> Callable[[str], int]:
    """Return what counts the tokens of a message's prompt; no weights are loaded."""
    checkpoint = Checkpoint(model, options)
    chat = chat_format(checkpoint.tokenizer(), checkpoint.settings())
    return lambda message: len(chat.encode(message))


def _llm(model: Any, tokenizer: Any, batch_size: int) -> TransformersLLM:
    chat = chat_format(tokenizer, model)
    pack_linears(model)
    return TransformersLLM(chat, _decoder(model, chat), batch_size, context_of(model.config))


def _decoder(model: Any, chat: ChatFormat) -> Decoder:
    """Return the faster decoder where the model can be run by it, else the one over its own `generate`."""
    if HAS_CACHES:
        from utils.llm.decoding.stepwise import StepwiseDecoder, can_step

        if can_step(model, [chat.encode(text) for text in SAMPLES]):
            return StepwiseDecoder(model, chat.stops)
    return BatchedDecoder(model, chat)


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Tell whether answers can be held to a grammar; say so where they cannot."""
    if find_spec("llguidance") is None:
        log.warning("answers are not held to a grammar, which needs llguidance: pip install llguidance")
        return False
    from utils.llm.decoding.guide import is_guidable

    if is_guidable(Checkpoint(model, options).tokenizer()):
        return True
    log.warning("%s: what its tokens spell is not known, so answers are not held to a grammar", model)
    return False
