"""Token masks that hold an answer to its grammar, with PyPI's llguidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llguidance
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from utils.llm.decoding.vocabulary import SlowVocabulary, without_control_tokens
from utils.llm.grammar_dialects import as_lark


class Guide:
    """A tokenizer's vocabulary as llguidance wants it; begins a `Guided` for each answer.

    Raises ValueError for a tokenizer whose tokens cannot be told as bytes.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[int]) -> None:
        vocabulary: str | llguidance.TokenizerWrapper
        if isinstance(tokenizer, PreTrainedTokenizerFast):
            vocabulary = without_control_tokens(tokenizer.backend_tokenizer.to_str())
        else:
            vocabulary = llguidance.TokenizerWrapper(SlowVocabulary(tokenizer, stops))
        self._tokenizer = llguidance.LLTokenizer(vocabulary, eos_token=list(stops))

    def follow(self, grammar: str) -> Guided:
        """Return the state of an answer to a GBNF grammar; raises ValueError for a text that is none."""
        matcher = llguidance.LLMatcher(self._tokenizer, llguidance.LLMatcher.grammar_from_lark(as_lark(grammar)))
        if matcher.is_error():
            raise ValueError(f"not a grammar: {matcher.get_error()}")
        return Guided(matcher, self._tokenizer.vocab_size)


def is_guidable(tokenizer: Any) -> bool:
    """Tell whether what a tokenizer's tokens spell can be known."""
    try:
        Guide(tokenizer, [0])
    except ValueError:
        return False
    return True


class Guided:
    """How far one answer has come in its grammar."""

    def __init__(self, matcher: llguidance.LLMatcher, vocabulary: int) -> None:
        self.matcher = matcher
        self.words = -(-vocabulary // 32)  # of a mask, 32 bits each

    @property
    def is_complete(self) -> bool:
        """Whether nothing can follow."""
        return self.matcher.is_stopped()

    def write_mask(self, bits: NDArray[np.int32]) -> None:
        """Write which tokens may follow, a bit each; a model may know more tokens than its tokenizer."""
        bits[:] = 0
        known = bits[: self.words]
        self.matcher.unsafe_compute_mask_ptr(known.ctypes.data, known.nbytes)

    def take(self, token: int) -> None:
        """Move on by a token that the mask allows."""
        if not self.matcher.consume_token(token):
            raise RuntimeError(f"the grammar does not allow the token {token}: {self.matcher.get_error()}")

    def take_forced(self) -> list[int]:
        """Take, and return, the tokens that the grammar leaves no choice in."""
        tokens: list[int] = self.matcher.compute_ff_tokens()
        if tokens and not self.matcher.consume_tokens(tokens):
            raise RuntimeError(f"the grammar does not allow what it forces: {self.matcher.get_error()}")
        return tokens


def forbid(scores: torch.Tensor, answers: Sequence[Guided | None]) -> torch.Tensor:
    """Return `scores` (answers, vocabulary) with the tokens that an answer's grammar does not allow at -inf."""
    if not any(answers):
        return scores
    mask = np.full((len(answers), -(-scores.shape[1] // 32)), -1, dtype=np.int32)
    for row, guided in enumerate(answers):
        if guided is not None and not guided.is_complete:
            guided.write_mask(mask[row])
    allowed = np.unpackbits(mask.view(np.uint8), axis=1, bitorder="little", count=scores.shape[1])
    return scores.masked_fill(torch.from_numpy(allowed == 0).to(scores.device), float("-inf"))
