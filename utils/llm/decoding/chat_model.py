"""A chat model of transformers: requests become token ids, a decoder continues them, and the ids become answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from utils.compute.devices import usable_gpus
from utils.compute.linear.onednn import limit_kept_kernels, pack_linears
from utils.compute.memory import release_freed_memory
from utils.llm.base import LLM, Answer, LLMOptions, Request
from utils.llm.decoding.batched import BatchedDecoder
from utils.llm.decoding.decoder import Decoder, EncodedRequest
from utils.llm.decoding.gpu_room import MAX_BATCH, GpuRoom
from utils.llm.hf.chat_format import ChatFormat, chat_format
from utils.llm.hf.checkpoint import HAS_CACHES, Checkpoint
from utils.llm.hf.context import MAX_CONTEXT, context_of
from utils.llm.hf.device_map import DeviceMap, devices_of
from utils.llm.replicas import Replicas

if TYPE_CHECKING:  # llguidance may be missing in ChatGLM3's environment
    from utils.llm.decoding.guide import Guide

log = logging.getLogger(__name__)

# Prompts to try which decoder runs a model.
SAMPLES = ("Name the words of: She quickly paid twenty euros for it.", "Who flew from Osaka to join Boeing in May?")

# On a CPU, the memory besides the weights is at most 0.3 times as large as they are, or, for a small model, 0.9 GB.
# 0.7 GB of it are for Python, its packages, the tokenizers and a call's tensors, the others for keys and values.
SHARE_BESIDES, WITHOUT_CACHE, MIN_CACHE = 0.3, 700e6, 200e6  # bytes


class TransformersLLM:
    """A chat format, and the decoder that runs the model."""

    def __init__(
        self,
        chat: ChatFormat,
        decoder: Decoder,
        batch_size: int,
        context: int = MAX_CONTEXT,
        room: GpuRoom | None = None,  # chooses the batch size; None: it is `batch_size`
    ) -> None:
        self.chat = chat
        self.decoder = decoder
        self.batch_size = batch_size
        self.context = context
        self._room = room
        self._most = MAX_BATCH  # that may be chosen

    @cached_property
    def _guide(self) -> Guide:
        from utils.llm.decoding.guide import Guide

        guide = Guide(self.chat.tokenizer, self.chat.stops)
        release_freed_memory()  # of the tokenizer's JSON
        return guide

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        waiting: dict[Request, EncodedRequest] = {}
        for request in requests:
            encoded = EncodedRequest(request, self.chat.encode(request.prompt, request.earlier), self.context)
            if encoded.budget:
                waiting[request] = encoded
            else:
                yield Answer(request, "", "length", len(encoded.prompt), 0)
        if waiting and self._room is not None:
            self.batch_size = self._room.batch_size(max(one.length for one in waiting.values()), self._most)
        while waiting:
            try:
                yield from self._answers(waiting)
                return
            except torch.cuda.OutOfMemoryError:
                pass
            self._halve_batches()  # outside the handler, which still holds the tensors of the failed batch

    def _answers(self, waiting: dict[Request, EncodedRequest]) -> Iterator[Answer]:
        """Yield answers, and remove each answered request from `waiting`."""
        guide = self._guide if any(request.grammar for request in waiting) else None
        for encoded, ids, finish in self.decoder.decode(list(waiting.values()), self.batch_size, guide):
            del waiting[encoded.request]
            tokens = len(ids) + (finish == "stop")
            text = self.chat.text(ids, guided=encoded.request.grammar is not None)
            yield Answer(encoded.request, text, finish, len(encoded.prompt), tokens)

    def _halve_batches(self) -> None:
        """Halve the batch size; raise RuntimeError if it is 1 already."""
        if self.batch_size == 1:
            raise RuntimeError(
                "out of GPU memory with one sentence at a time: use --load_in=8bit or 4bit, more GPUs (--n_gpu=0,1), "
                "or a smaller model"
            )
        self.batch_size = self._most = self.batch_size // 2
        log.warning("out of GPU memory: continuing with --batch_size=%d", self.batch_size)
        torch.cuda.empty_cache()


def load_replicas(model: str, options: LLMOptions) -> LLM:
    """Load a checkpoint folder or hub id.

    If the model fits on one GPU, every GPU gets a replica. If not, one replica is spread over all of them. Without
    GPUs, the CPU runs it.
    """
    gpus = usable_gpus(options.gpus)
    if options.load_in is not None and not gpus:
        raise ValueError(f"--load_in={options.load_in} needs a GPU; on the CPU, use a quantised .gguf file instead")
    limit_kept_kernels()
    checkpoint = Checkpoint(model, options)
    loaded = [checkpoint.load(DeviceMap(gpus))]
    if len(gpus) > 1 and len(devices_of(loaded[0][0])) < 2:
        loaded += [checkpoint.load(DeviceMap([gpu])) for gpu in gpus[1:]]
    llms = [_llm(network, tokenizer, options) for network, tokenizer in loaded]
    return Replicas(llms) if len(llms) > 1 else llms[0]


def _llm(model: Any, tokenizer: Any, options: LLMOptions) -> TransformersLLM:
    chat = chat_format(tokenizer, model)
    windows = _usable_windows(model, chat)  # before packing, which leaves no weights that can be read
    cache_bytes = max(MIN_CACHE, SHARE_BESIDES * sum(weight.nbytes for weight in model.parameters()) - WITHOUT_CACHE)
    pack_linears(model)
    release_freed_memory()
    devices = sorted({weight.device for weight in model.parameters()}, key=str)
    fills_gpu = options.fills_gpu and all(device.type == "cuda" for device in devices)
    room = GpuRoom.of(model, devices) if fills_gpu else None
    return TransformersLLM(
        chat, _decoder(model, chat, windows, cache_bytes), options.batch_size, context_of(model.config), room
    )


def _usable_windows(model: Any, chat: ChatFormat) -> Sequence[int | None] | None:
    """Return the windows of the layers if the faster decoder can run the model, and else None."""
    if not HAS_CACHES:
        return None
    from utils.llm.decoding.ragged.trial import usable_windows

    return usable_windows(model, [chat.encode(text) for text in SAMPLES])


def _decoder(model: Any, chat: ChatFormat, windows: Sequence[int | None] | None, cache_bytes: float) -> Decoder:
    """Return the faster decoder if it can run the model, and else the one that uses the model's own `generate`."""
    if windows is not None:
        from utils.llm.decoding.ragged.trial import fastest_with
        from utils.llm.decoding.stepwise import StepwiseDecoder

        cache = fastest_with(windows, model, [chat.encode(text) for text in SAMPLES])
        if cache is not None:
            return StepwiseDecoder(model, chat.stops, cache, cache_bytes)
    decoder = BatchedDecoder(model, chat)
    decoder.one_at_a_time = decoder.reads_padding(chat.encode(SAMPLES[0]))
    if decoder.one_at_a_time:
        log.info("this model reads the padding of shorter prompts, so it answers one prompt at a time")
    return decoder
