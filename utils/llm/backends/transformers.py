"""Backend `transformers`: a chat checkpoint on GPUs or the CPU; the work is done in `llm/hf/` and `llm/decoding/`."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path

from utils.llm.base import LLM, LLMOptions, TokenCounter
from utils.llm.hf.files import check_checkpoint, has_byte_tokens

log = logging.getLogger(__name__)


def check(model: str, options: LLMOptions) -> None:
    """Raise FileNotFoundError or ValueError if `model` is neither a checkpoint folder nor an id of a hub."""
    check_checkpoint(model, "transformers")


def can_be_guided(model: str, options: LLMOptions) -> bool:
    """Return whether answers can be constrained by a grammar; log the reason if not.

    For a tokenizer that spells bytes, its files are enough. Other tokenizers are loaded.
    """
    if find_spec("llguidance") is None:
        log.warning("answers are not constrained by a grammar, because llguidance is missing: pip install llguidance")
        return False
    if has_byte_tokens(Path(model)):
        return True
    from utils.llm.decoding.guide import is_guidable
    from utils.llm.hf.checkpoint import Checkpoint

    if is_guidable(Checkpoint(model, options).tokenizer()):
        return True
    log.warning(
        "%s: answers are not constrained by a grammar, because the bytes of its tokens cannot be determined", model
    )
    return False


def load_counter(model: str, options: LLMOptions) -> TokenCounter:
    """Return a function that counts the tokens of a chat; no weights are loaded."""
    from utils.llm.hf.chat_format import chat_format
    from utils.llm.hf.checkpoint import Checkpoint

    checkpoint = Checkpoint(model, options)
    chat = chat_format(checkpoint.tokenizer(), checkpoint.settings())
    return lambda prompt, earlier=(): len(chat.encode(prompt, earlier))


def load(model: str, options: LLMOptions) -> LLM:
    """Load a checkpoint: one replica on each GPU, or one replica over all GPUs, or one on the CPU."""
    from utils.llm.decoding.chat_model import load_replicas

    return load_replicas(model, options)
