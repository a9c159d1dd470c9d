"""Backend `transformers`: a chat checkpoint on GPUs or the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from utils.llm.base import Answer, LLMOptions, Request
from utils.llm.batched import BatchedDecoder
from utils.llm.chat_format import ChatFormat
from utils.llm.checkpoint import load_checkpoint
from utils.llm.decoding import Decoder, Row


class TransformersLLM:
    """A family's chat format, and the decoder that runs its model."""

    def __init__(self, chat: ChatFormat, decoder: Decoder, batch_size: int) -> None:
        self.chat = chat
        self.decoder = decoder
        self.batch_size = batch_size

    def generate(self, requests: Sequence[Request]) -> Iterator[Answer]:
        rows = [Row(request, self.chat.encode(request.prompt)) for request in requests]
        for row, ids, finish in self.decoder.decode(rows, self.batch_size):
            yield Answer(row.request, self.chat.text(ids), finish, len(row.prompt), len(ids) + (finish == "stop"))


def load(model: str, options: LLMOptions) -> TransformersLLM:
    """Load a checkpoint folder, or a hub id, onto the asked GPUs or the CPU."""
    loaded, tokenizer = load_checkpoint(model, options)
    chat = ChatFormat(tokenizer, loaded)
    return TransformersLLM(chat, BatchedDecoder(loaded, chat), options.batch_size)
