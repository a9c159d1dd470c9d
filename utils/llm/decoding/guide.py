"""Masks of the tokens that a grammar allows next, computed by PyPI's llguidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import llguidance
import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from utils.compute.transfers import indices_on, to_device
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
        self._executor = llguidance.LLExecutor()

    def start(self, grammar: str) -> GrammarState:
        """Return the state at the start of an answer; raise ValueError if the text is not a grammar."""
        limits = _INTERSECTION_LIMITS if grammar.startswith(LARK) else None
        lark = llguidance.LLMatcher.grammar_from_lark(as_lark(grammar))
        matcher = llguidance.LLMatcher(self._tokenizer, lark, limits=limits)
        if matcher.is_error():
            raise ValueError(f"not a grammar: {matcher.get_error()}")
        return GrammarState(matcher)

    def masks(self, states: Sequence[GrammarState | None]) -> torch.Tensor:
        """Return the tokens that may follow in each answer: bits in int32 (answers, vocabulary / 32), lowest first.

        llguidance computes them in parallel, without Python's lock. Rows of answers that are complete, or not guided,
        are undefined.
        """
        words = -(-self._tokenizer.vocab_size // 32)
        bits = np.empty((len(states), words), dtype=np.int32)
        jobs = [(state.matcher, row) for row, state in enumerate(states) if state is not None and not state.is_complete]
        if jobs:
            self._executor.unsafe_compute_mask_ptr(jobs, bits.ctypes.data, 4 * words, len(states))
        return torch.from_numpy(bits)


def is_guidable(tokenizer: Any) -> bool:
    """Return whether the bytes of a tokenizer's tokens are known."""
    try:
        Guide(tokenizer, [0])
    except ValueError:
        return False
    return True


class GrammarState:
    """The position of one answer in its grammar."""

    def __init__(self, matcher: llguidance.LLMatcher) -> None:
        self.matcher = matcher

    @property
    def is_complete(self) -> bool:
        """Whether the answer is complete, so that no token can follow."""
        return self.matcher.is_stopped()

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


def mask_scores(scores: torch.Tensor, states: Sequence[GrammarState | None], masks: torch.Tensor) -> torch.Tensor:
    """Return `scores` (answers, vocabulary) with -inf for the tokens that an answer's grammar does not allow.

    `masks` is what `Guide.masks` returned for the states. A model may have more tokens than its tokenizer.
    """
    guided = [row for row, state in enumerate(states) if state is not None and not state.is_complete]
    if not guided:
        return scores
    bits = masks if len(guided) == len(states) else masks[guided]
    forbidden = _forbidden(to_device(bits, scores.device), scores.shape[1])
    if len(guided) == len(states):
        return scores.masked_fill(forbidden, float("-inf"))
    (rows,) = indices_on(scores.device, guided)
    return scores.index_copy(0, rows, scores[rows].masked_fill(forbidden, float("-inf")))


def _forbidden(bits: torch.Tensor, vocabulary: int) -> torch.Tensor:
    """Return which tokens are not allowed, (answers, vocabulary), from bits in int32 (answers, words)."""
    if bits.device.type == "cpu":
        octets = np.unpackbits(bits.numpy().view(np.uint8), axis=1, bitorder="little", count=vocabulary)
        return torch.from_numpy(octets == 0)
    shifts = torch.arange(8, dtype=torch.uint8, device=bits.device)
    forbidden = ((bits.view(torch.uint8)[:, :, None] >> shifts & 1) == 0).flatten(1)[:, :vocabulary]
    return torch.nn.functional.pad(forbidden, (0, vocabulary - forbidden.shape[1]), value=True)
