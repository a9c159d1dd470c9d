"""A chat model's format: messages as the token ids of prompts, the ids that end an answer, and answers as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from utils.compute.checkpoint_errors import CODE_ERRORS, short
from utils.llm.base import Message
from utils.llm.chat_parts import ChatTemplate
from utils.llm.hf.context import text_config
from utils.llm.templates.trial import try_template
from utils.parsing.thinking import begun_thought, continue_thought, is_mark_token, split_thoughts

# Tokens that end a turn in some family of models; `generation_config` does not always name all of them.
TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|user|>", "<|observation|>", "<end_of_turn>", "<|end|>")
MESSAGE_STARTS = {"<|start|>", "<|begin|>"}
# Some templates write today's date into the prompt (Llama 3.1 and 3.2, Mistral Small). The same command must give the
# same answers on every day, so they get this date.
FIXED_DATE = "26 Jul 2024"
FIXED_DATE_MACRO = (
    "{%- macro strftime_now(format) -%}"
    "{{ {'%Y-%m-%d': '2024-07-26'}.get(format, '" + FIXED_DATE + "') }}"
    "{%- endmacro -%}"
)


class ChatFormat:
    """A tokenizer with its chat template: GLM-4, Qwen, Llama 3, Gemma, Mistral, and any other."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self.tokenizer = tokenizer
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.padding_side = "left"
        self.stops = sorted({*_configured_stops(model, tokenizer), *self._turn_ends()})
        self._vocabulary_size = 1 + max(tokenizer.get_vocab().values())  # the model's matrix may have more rows
        added = tokenizer.get_added_vocab()
        self._thought_marks = {id_: token for token, id_ in added.items() if is_mark_token(token)}
        self._read_template()

    def encode(self, prompt: str, earlier: Sequence[Message] = ()) -> list[int]:
        """Return the token ids of a chat: the user's message, and the messages before it.

        A role token inside a message stays plain text.
        """
        together = ""  # text without role tokens of messages is encoded at once, as its neighbours may share tokens
        ids: list[int] = []
        for part in self._template.parts((*earlier, Message("user", prompt))):
            text = part.text if isinstance(part, Message) else part
            split = self._without_role_tokens(text) if isinstance(part, Message) else [text]
            if len(split) == 1:
                together += text
                continue
            ids += [id_ for piece in (together, *split) for id_ in self._ids(piece)]
            together = ""
        return ids + self._ids(together)

    def pad(self, prompts: Sequence[list[int]]) -> Any:
        """Return a left-padded batch as tensors: ids, attention mask, and whatever else the tokenizer adds."""
        # No warning that `__call__` would be faster: the prompts are encoded already.
        getattr(self.tokenizer, "deprecation_warnings", {})["Asking-to-pad-a-fast-tokenizer"] = True
        return self.tokenizer.pad({"input_ids": list(prompts)}, padding=True, return_tensors="pt")

    def text(self, answer: Sequence[int], *, guided: bool = False) -> str:
        """Return an answer's ids, without its stop id, as text, with its thoughts and the marks around them.

        A guided answer has no thought, even if its prompt has begun one.
        """
        marked = "".join(self._decoded_parts(answer))
        text = (marked if split_thoughts(marked)[1] else self._decoded(answer)).strip()
        return text if guided else continue_thought(self._begun_thought, text)

    def _decoded_parts(self, answer: Sequence[int]) -> Iterator[str]:
        """Yield an answer as text in parts, with the marks of thoughts, which may be special tokens."""
        for is_mark, ids in groupby(answer, self._thought_marks.__contains__):
            part = list(ids)
            yield "".join(map(self._thought_marks.__getitem__, part)) if is_mark else self._decoded(part)

    def _decoded(self, ids: Sequence[int]) -> str:
        known = [id_ for id_ in ids if id_ < self._vocabulary_size]
        return str(self.tokenizer.decode(known, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _read_template(self) -> None:
        """Set the template, and the pattern that splits role tokens inside a message."""
        self._template = read_chat_template(self.tokenizer)
        self._begun_thought = begun_thought(self._template.after)
        self._inside_role = _inside_role_tokens(self.tokenizer)
        normalizer = getattr(getattr(self.tokenizer, "backend_tokenizer", None), "normalizer", None)
        self._normalise = normalizer.normalize_str if normalizer is not None else str

    def _without_role_tokens(self, text: str) -> list[str]:
        """Return the text of a message in pieces of which none is encoded to a role token.

        A tokenizer may find tokens in the text as it normalises it: with NFKC, also in full-width characters.
        """
        pieces = self._inside_role.split(text)
        if any(self._inside_role.search(self._normalise(piece)) for piece in pieces):
            return list(text)
        return pieces

    def _ids(self, text: str) -> list[int]:
        # Without special tokens: the template has written them.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _turn_ends(self) -> Iterable[int]:
        added = self.tokenizer.get_added_vocab()
        ends = [token for token in TURN_ENDS if token in added]
        if MESSAGE_STARTS & added.keys():  # gpt-oss, Solar Open: a thought ends with it, and the answer follows
            ends = [token for token in ends if token != "<|end|>"]
        return [added[token] for token in ends]


class ChatGLM3Format(ChatFormat):
    """ChatGLM3's tokenizer, which builds the prompts itself: no text is encoded to its role tokens."""

    def encode(self, prompt: str, earlier: Sequence[Message] = ()) -> list[int]:
        history = [{"role": message.role, "content": message.text} for message in earlier]
        return [int(id_) for id_ in self.tokenizer.build_chat_input(prompt, history=history)["input_ids"][0]]

    def _read_template(self) -> None:
        self._begun_thought = ""

    def _turn_ends(self) -> Iterable[int]:
        return [self.tokenizer.get_command(token) for token in ("<|user|>", "<|observation|>")]


def read_chat_template(tokenizer: Any) -> ChatTemplate:
    """Return the chat template of a tokenizer.

    Raises ValueError that names the checkpoint if the template is broken, never ends, or leaves the message out.
    """
    source = str(getattr(tokenizer, "name_or_path", "the checkpoint"))
    template = getattr(tokenizer, "chat_template", None)
    for text in template.values() if isinstance(template, dict) else [template]:
        if isinstance(text, str):
            try_template(text, source)
    try:
        return ChatTemplate(lambda messages: _fill_template(tokenizer, messages))
    except ValueError as error:
        raise ValueError(
            f"{source}: its chat template cannot be used for one message of a user ({error}): correct it, or "
            "download the checkpoint again"
        ) from error


def _fill_template(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Return the prompt of a chat as text; raise ValueError if the template cannot be filled with it."""
    from jinja2 import TemplateError

    try:
        return _filled(tokenizer, messages)
    except (TemplateError, ValueError, RuntimeError, *CODE_ERRORS) as error:
        raise ValueError(short(error)) from error


def _filled(tokenizer: Any, messages: Sequence[Message]) -> str:
    own = getattr(tokenizer, "chat_template", None)
    has_date = isinstance(own, str) and "strftime_now" in own
    text: str = tokenizer.apply_chat_template(
        [{"role": message.role, "content": message.text} for message in messages],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,  # Qwen3
        date_string=FIXED_DATE,
        **({"chat_template": f"{FIXED_DATE_MACRO}{own}"} if has_date else {}),
    )
    return text


def chat_format(tokenizer: Any, model: Any) -> ChatFormat:
    """Return the chat format of a checkpoint, which its tokenizer determines."""
    kind = ChatGLM3Format if hasattr(tokenizer, "build_chat_input") else ChatFormat
    return kind(tokenizer, model)


def is_role_token(token: str) -> bool:
    """Return whether an added token looks like a control token: `<|user|>`, `</s>`, `[INST]`."""
    return bool(re.fullmatch(r"<.+>|\[.+\]", token))


def _configured_stops(model: Any, tokenizer: Any) -> set[int]:
    """Return the stop ids that the checkpoint's files name; each file may name one or several."""
    configs = (model.generation_config, model.config, text_config(model.config))
    named = [*(getattr(one, "eos_token_id", None) for one in configs), tokenizer.eos_token_id]
    lists = [value if isinstance(value, list) else [value] for value in named if value is not None]
    return {id_ for ids in lists for id_ in ids}


def _inside_role_tokens(tokenizer: Any) -> re.Pattern[str]:
    """Return a pattern for the position after the first character of each control token; text split there has none.

    Added tokens that are not control tokens (Gemma has one for two line breaks) are not split.
    """
    added = {token for token in tokenizer.get_added_vocab() if is_role_token(token)}
    tokens = sorted(added | set(tokenizer.all_special_tokens))
    inside = [f"(?<={re.escape(token[0])})(?={re.escape(token[1:])})" for token in tokens if len(token) > 1]
    return re.compile("|".join(inside) or r"(?!)")
