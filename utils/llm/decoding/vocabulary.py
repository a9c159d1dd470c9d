"""A tokenizer's vocabulary for llguidance: the bytes of each token, and the tokens of a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from utils.llm.hf.chat_format import is_role_token

SAMPLE = '[{"word":"北京, naïve 🙂","pos":"名词"}]'


def without_control_tokens(fast: str) -> str:
    """Return the JSON of a fast tokenizer, changed so that it never encodes text as a control token.

    llguidance tokenises the text that a grammar forces, and a `<|im_end|>` in a sentence must stay text. So the control
    tokens keep their ids, but get names that no text contains.
    """
    made = json.loads(fast)
    added = made["added_tokens"]
    control = {token["content"] for token in added if token["special"] or is_role_token(token["content"])}
    control.discard(made["model"].get("unk_token"))
    for token in added:
        token["content"] = _renamed(token["content"], control)
    vocabulary = made["model"].get("vocab")
    if isinstance(vocabulary, dict):
        made["model"]["vocab"] = {_renamed(token, control): id_ for token, id_ in vocabulary.items()}
    elif vocabulary:  # Unigram's pairs of a token and its score
        made["model"]["vocab"] = [[_renamed(token, control), score] for token, score in vocabulary]
    made.update(post_processor=None, padding=None, truncation=None, normalizer=_spelling_kept(made.get("normalizer")))
    return json.dumps(made)


def _spelling_kept(normaliser: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a normaliser without Unicode's normal forms, so that forced text is spelt as in the sentence."""
    if normaliser is None or normaliser["type"] in ("NFC", "NFD", "NFKC", "NFKD"):
        return None
    if normaliser["type"] == "Sequence":
        parts = [kept for part in normaliser["normalizers"] if (kept := _spelling_kept(part))]
        return {**normaliser, "normalizers": parts}
    return normaliser


def _renamed(token: str, control: set[str]) -> str:
    """Return a control token with a private character before its name, and other tokens unchanged."""
    return f"\ue000{token}" if token in control else token


class SlowVocabulary:
    """The interface of a tokenizer that llguidance needs: the bytes of each token, and a text as tokens.

    Supports tokens that are bytes (tiktoken, GLM-4), GPT-2's letters for bytes, and SentencePiece's `▁` and `<0x0A>`
    (ChatGLM3). Raises ValueError if the bytes of a text's tokens are not the text.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[int]) -> None:
        self.tokenizer = tokenizer
        self.eos_token_id, self.bos_token_id = stops[0], None
        size = 1 + max(*tokenizer.get_vocab().values(), *stops)
        special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values(), *stops, *self._commands()}
        self.special_token_ids = sorted(id_ for id_ in special if id_ < size)
        self.tokens = [b"" if id_ in special else self._bytes(id_) for id_ in range(size)]
        spelt = b"".join(self.tokens[id_] for id_ in tokenizer.encode(SAMPLE, add_special_tokens=False))
        if spelt.lstrip() != SAMPLE.encode():
            raise ValueError(f"{type(tokenizer).__name__}: the tokens of {SAMPLE} have the bytes {spelt!r}")

    def __call__(self, text: bytes) -> list[int]:
        """Return the tokens of `text`, each the longest that fits; a slow tokenizer itself may add a space."""
        found = []
        start = 0
        while start < len(text):
            piece = next(
                text[start:end] for end in range(start + self._longest, start, -1) if text[start:end] in self._ids
            )
            found.append(self._ids[piece])
            start += len(piece)
        return found

    def _commands(self) -> Iterable[int]:
        """Return the ids of ChatGLM3's role tokens, which are not in its tokenizer's list of special tokens."""
        inner = getattr(self.tokenizer, "tokenizer", None)
        return getattr(inner, "special_tokens", {}).values()

    @cached_property
    def _ids(self) -> dict[bytes, int]:
        return {token: id_ for id_, token in reversed(list(enumerate(self.tokens))) if token}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.tokens))

    def _bytes(self, id_: int) -> bytes:
        token = self._token(id_)
        if isinstance(token, bytes):
            return token
        letters = getattr(self.tokenizer, "byte_decoder", None)  # GPT-2's: one letter for each byte
        if letters is not None and all(letter in letters for letter in token):
            return bytes(letters[letter] for letter in token)
        if byte := re.fullmatch("<0x([0-9A-F]{2})>", token):
            return bytes.fromhex(byte[1])
        return token.replace("▁", " ").encode()

    def _token(self, id_: int) -> str | bytes:
        try:
            token: str | bytes | None = self.tokenizer.convert_ids_to_tokens(id_)
        except (IndexError, KeyError, ValueError):  # ids without a token: a model's matrix may have more rows
            return b""
        return b"" if token is None else token
