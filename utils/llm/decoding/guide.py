"""Masks of the tokens that a grammar allows next, computed by PyPI's llguidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llguidance
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from utils.llm.decoding.vocabulary import SlowVocabulary, without_control_tokens
from utils.llm.grammar_dialects import LARK, as_lark

# An intersection of regular expressions has more states than llguidance allows by default.
_INTERSECTION_LIMITS = llguidance.LLParserLimits(
    initial_lexer_fuel=20_000_000,
    step_lexer_fuel=20_000_000,
    max_lexer_states=1_000_000,
    precompute_large_lexemes=False,
)


class Guide:
    """A tokenizer's vocabulary in llguidance; starts a `GrammarState` for each answer.

    Raises ValueError if the bytes of the tokenizer's tokens are not known.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[int]) -> None:
        vocabulary: str | llguidance.TokenizerWrapper
        if isinstance(tokenizer, PreTrainedTokenizerFast):
            vocabulary = without_control_tokens(tokenizer.backend_tokenizer.to_str())
        else:
            vocabulary = llguidance.TokenizerWrapper(SlowVocabulary(tokenizer, stops))
        self._tokenizer = llguidance.LLTokenizer(vocabulary, eos_token=list(stops))

    def start(self, grammar: str) -> GrammarState:
        """Return the state at the start of an answer; raise ValueError if the text is not a grammar."""
        limits = _INTERSECTION_LIMITS if grammar.startswith(LARK) else None
        lark = llguidance.LLMatcher.grammar_from_lark(as_lark(grammar))
        matcher = llguidance.LLMatcher(self._tokenizer, lark, limits=limits)
        if matcher.is_error():
            raise ValueError(f"not a grammar: {matcher.get_error()}")
        return GrammarState(matcher, self._tokenizer.vocab_size)


def is_guidable(tokenizer: Any) -> bool:
    """Return whether the bytes of a tokenizer's tokens are known."""
    try:
        Guide(tokenizer, [0])
    except ValueError:
        return False
    return True


class GrammarState:
    """The position of one answer in its grammar."""

    def __init__(self, matcher: llguidance.LLMatcher, vocabulary: int) -> None:
        self.matcher = matcher
        self.mask_size = -(-vocabulary // 32)  # 32-bit numbers, a bit for each token

    @property
    def is_complete(self) -> bool:
        """Whether the answer is complete, so that no token can follow."""
        return self.matcher.is_stopped()

    def write_mask(self, bits: NDArray[np.int32]) -> None:
        """Set the bits of the tokens that may follow, and clear all others."""
        bits[:] = 0
        known = bits[: self.mask_size]  # a model may have more tokens than its tokenizer
        self.matcher.unsafe_compute_mask_ptr(known.ctypes.data, known.nbytes)

    def take(self, token: int) -> None:
        """Move on by one token; raise RuntimeError if the grammar does not allow it."""
        if not self.matcher.consume_token(token):
            raise RuntimeError(f"the grammar does not allow the token {token}: {self.matcher.get_error()}")

    def take_forced(self) -> list[int]:
        """Move on by the tokens that the grammar forces here, and return them."""
        tokens: list[int] = self.matcher.compute_ff_tokens()
        if tokens and not self.matcher.consume_tokens(tokens):
            raise RuntimeError(f"the grammar does not allow the tokens that it forces: {self.matcher.get_error()}")
        return tokens


def mask_scores(scores: torch.Tensor, states: Sequence[GrammarState | None]) -> torch.Tensor:
    """Return `scores` (answers, vocabulary) with -inf for the tokens that an answer's grammar does not allow."""
    if not any(states):
        return scores
    mask = np.full((len(states), -(-scores.shape[1] // 32)), -1, dtype=np.int32)  # all tokens allowed
    for row, state in enumerate(states):
        if state is not None and not state.is_complete:
            state.write_mask(mask[row])
    allowed = np.unpackbits(mask.view(np.uint8), axis=1, bitorder="little", count=scores.shape[1])
    return scores.masked_fill(torch.from_numpy(allowed == 0).to(scores.device), float("-inf"))
