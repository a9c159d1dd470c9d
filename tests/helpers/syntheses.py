"""Generators and syntheses with the settings that tests use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from utils.asking.sampling import SamplingSettings
from utils.dataset.records import Sentence
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.prompts import load_prompt
from utils.synthesis.cleaning import Cleaner
from utils.synthesis.generator import Generator
from utils.synthesis.quota import Quota
from utils.synthesis.rounds import Synthesis
from utils.synthesis.writing_style import WritingStyle


def generator(language: str = "en", *, max_new_tokens: int = 256, **sampled: Any) -> Generator:
    """Return a generator that uses the prompt `explain`."""
    sampling = SamplingSettings(**{"temperature": 0.8, **sampled})
    tokenisation = CHARACTERS if language == "zh" else WORDS
    return Generator(load_prompt("explain", language), tokenisation, sampling, max_new_tokens)


def cleaner_of(texts: Sequence[Sequence[str]], *, tokenisation: Tokenisation = WORDS) -> Cleaner:
    """Return the cleaner for a dataset of English or, with characters as tokens, of Chinese."""
    writing = WritingStyle.of(texts, tokenisation=tokenisation)
    return Cleaner("zh" if tokenisation.is_dense else "en", writing, labels=("PER", "LOC"))


def synthesis_of(
    sentences: Sequence[Sentence],
    *,
    tokenisation: Tokenisation = WORDS,
    held_out: Iterable[Sequence[str]] = (),
    quota: Quota | None = None,
    require_mention: bool = False,
) -> Synthesis:
    """Return the synthesis of new sentences for a dataset of English or Chinese."""
    return Synthesis(
        sentences,
        generator("zh" if tokenisation.is_dense else "en"),
        cleaner_of([one.tokens for one in sentences], tokenisation=tokenisation),
        held_out=held_out,
        quota=quota or Quota(),
        require_mention=require_mention,
    )
