"""How a family's chat looks as token ids: a message as a prompt, the ids that end an answer, an answer as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Tokens that end a turn in one family or another; `generation_config` does not always name them all.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|user|>", "<|observation|>", "<end_of_turn>", "<|end|>")
MARK = "\ue000sentence\ue000"  # stands for the user's message while the template is filled


class ChatFormat:
    """A checkpoint's tokenizer and stop ids, used as its family wants them used."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self.tokenizer = tokenizer
        self.stops = _stop_ids(model, tokenizer)
        self._special = _inside_special_tokens(tokenizer)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "left"
        tokenizer.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True  # prompts are padded once encoded

    def encode(self, message: str) -> list[int]:
        """Return the token ids of a prompt; a role token inside `message` stays plain text."""
        if hasattr(self.tokenizer, "build_chat_input"):  # ChatGLM3: a template would spell its roles out
            return [int(id_) for id_ in self.tokenizer.build_chat_input(message)["input_ids"][0]]
        before, after = self._frame()
        parts = self._special.split(message)
        if len(parts) == 1:
            return self._ids(before + message + after)
        return [*self._ids(before), *(id_ for part in parts for id_ in self._ids(part)), *self._ids(after)]

    def pad(self, prompts: Sequence[list[int]]) -> Any:
        """Return a left-padded batch as tensors: ids, attention mask, and what else the tokenizer adds."""
        return self.tokenizer.pad({"input_ids": list(prompts)}, padding=True, return_tensors="pt")

    def text(self, answer: Sequence[int]) -> str:
        """Return an answer's ids, up to its stop id, as text."""
        text: str = self.tokenizer.decode(answer, skip_special_tokens=True)
        return text.strip()

    def _frame(self) -> tuple[str, str]:
        """Return what the chat template writes before and after a user's message."""
        messages = [{"role": "user", "content": MARK}]
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        before, after = text.split(MARK)
        return before, after

    def _ids(self, text: str) -> list[int]:
        # The template has written the special tokens already.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


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
