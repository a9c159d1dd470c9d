"""How a family's chat looks as token ids: a message as a prompt, the ids that end an answer, an answer as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from utils.llm.base import MARK

# Tokens that end a turn in one family or another; `generation_config` does not always name them all.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|user|>", "<|observation|>", "<end_of_turn>", "<|end|>")
# Some templates write the day into the prompt (Llama 3.1 and 3.2, Mistral Small). The same work must give the same
# answers, so it is always this one.
DAY = "26 Jul 2024"
ALWAYS_THAT_DAY = (
    "{%- macro strftime_now(format) -%}{{ {'%Y-%m-%d': '2024-07-26'}.get(format, '" + DAY + "') }}{%- endmacro -%}"
)
THOUGHT = ("<think>", "</think>")


class ChatFormat:
    """A tokenizer used as a chat template wants it: GLM-4, Qwen, Llama 3, Gemma, Mistral, and any other."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self.tokenizer = tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "left"
        self.stops = sorted({*_configured_stops(model, tokenizer), *self._turn_ends()})
        self._known_ids = 1 + max(tokenizer.get_vocab().values())  # a model may have more rows than there are tokens
        self._thought_end: int | None = tokenizer.get_added_vocab().get(THOUGHT[1])
        self._open_frame()

    def encode(self, message: str) -> list[int]:
        """Return the token ids of a prompt; a role token inside `message` stays plain text."""
        parts = self._inside_role.split(message)
        if len(parts) == 1:
            return self._ids(self._before + message + self._after)
        return [*self._ids(self._before), *(id_ for part in parts for id_ in self._ids(part)), *self._ids(self._after)]

    def pad(self, prompts: Sequence[list[int]]) -> Any:
        """Return a left-padded batch as tensors: ids, attention mask, and what else the tokenizer adds."""
        # Padding one prompt at a time warns of slowness that there is not: the prompts are encoded already.
        getattr(self.tokenizer, "deprecation_warnings", {})["Asking-to-pad-a-fast-tokenizer"] = True
        return self.tokenizer.pad({"input_ids": list(prompts)}, padding=True, return_tensors="pt")

    def text(self, answer: Sequence[int]) -> str:
        """Return an answer's ids, up to its stop id, as text: what a model thought aloud before it is cut away."""
        said = list(answer)
        thinking = self._thinks
        if self._thought_end in said:
            thinking = False
            said = said[len(said) - said[::-1].index(self._thought_end) :]
        known = [id_ for id_ in said if id_ < self._known_ids]
        text = self.tokenizer.decode(known, skip_special_tokens=True, clean_up_tokenization_spaces=False).strip()
        return "" if thinking or text.startswith(THOUGHT[0]) else text

    def _open_frame(self) -> None:
        """Keep what stands before and after a message, and where a message must be cut."""
        self._before, self._after = self._frame()
        self._thinks = self._after.rstrip().endswith(THOUGHT[0])
        self._inside_role = _inside_role_tokens(self.tokenizer)

    def _frame(self) -> tuple[str, str]:
        """Return what the chat template writes before and after a user's message."""
        own = getattr(self.tokenizer, "chat_template", None)
        dated = {"chat_template": ALWAYS_THAT_DAY + own} if isinstance(own, str) and "strftime_now" in own else {}
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": MARK}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,  # Qwen3
            date_string=DAY,
            **dated,
        )
        before, after = text.split(MARK)
        return before, after

    def _ids(self, text: str) -> list[int]:
        # The template has written the special tokens already.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _turn_ends(self) -> Iterable[int]:
        added = self.tokenizer.get_added_vocab()
        return [added[token] for token in TURN_ENDS if token in added]


class ChatGLM3Format(ChatFormat):
    """ChatGLM3's tokenizer: it alone builds its prompts, of commands that no text is encoded to."""

    def encode(self, message: str) -> list[int]:
        return [int(id_) for id_ in self.tokenizer.build_chat_input(message)["input_ids"][0]]

    def _open_frame(self) -> None:
        self._thinks = False

    def _turn_ends(self) -> Iterable[int]:
        return [self.tokenizer.get_command(token) for token in ("<|user|>", "<|observation|>")]


def chat_format(tokenizer: Any, model: Any) -> ChatFormat:
    """Return how a checkpoint's family writes a chat; its tokenizer knows."""
    kind = ChatGLM3Format if hasattr(tokenizer, "build_chat_input") else ChatFormat
    return kind(tokenizer, model)


def _configured_stops(model: Any, tokenizer: Any) -> set[int]:
    """Return the stop ids that the checkpoint's own files name, one or several each."""
    named = [model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id]
    lists = [value if isinstance(value, list) else [value] for value in named if value is not None]
    return {id_ for ids in lists for id_ in ids}


def _inside_role_tokens(tokenizer: Any) -> re.Pattern[str]:
    """Match the place behind the first character of each control token: cut there, none is left whole.

    Added tokens that are no control tokens (Gemma has one for two line breaks) stay as they are.
    """
    bracketed = {token for token in tokenizer.get_added_vocab() if re.fullmatch(r"<.+>|\[.+\]", token)}
    tokens = sorted(bracketed | set(tokenizer.all_special_tokens))
    inside = [f"(?<={re.escape(token[0])})(?={re.escape(token[1:])})" for token in tokens if len(token) > 1]
    return re.compile("|".join(inside) or r"(?!)")
