"""Sentences of the dataset that a prompt of s2 shows, so that the LLM writes in the same style."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.records import Sentence
from utils.dataset.tokens import Language, same_text_key
from utils.prompts import Prompt, load_prompt

DEFAULT_SHOTS = 4
MAX_POOL = 200  # sentences; each of them is ranked for each question


@dataclass(frozen=True)
class StyleShots:
    """The sentences that prompts may show, and how many of them each prompt shows."""

    pool: tuple[tuple[str, str], ...]  # key of a sentence's text, and the text as a person would write it
    number: int
    seed: int

    @classmethod
    def of(
        cls, sentences: Sequence[Sentence], written: Callable[[Sequence[str]], str], *, number: int, seed: int
    ) -> StyleShots:
        """Return shots from the sentences with an entity, or from all if none has one."""
        shown = [sentence for sentence in sentences if sentence.spans] or sentences
        texts = {same_text_key(sentence.tokens): written(sentence.tokens) for sentence in shown[:MAX_POOL]}
        return cls(tuple(texts.items()), number, seed)

    def lines(self, source: Sentence, sample: int) -> str:
        """Return the shots in the prompt about a sentence, one a line; never the sentence itself.

        Each sample of each sentence is shown different ones, which depend on the seed. Each sentence of the pool has a
        random rank that does not depend on the others. So a changed sentence only changes the prompts that show it.
        """
        source_key = same_text_key(source.tokens)
        others = [(key, text) for key, text in self.pool if key != source_key]
        question = f"{self.seed} {source.id} {sample}"
        return "\n".join(
            text for _, text in heapq.nsmallest(self.number, others, key=lambda one: _rank(question, one[0]))
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that belong to a result's fingerprint."""
        return {"number": self.number, "seed": self.seed}


def _rank(question: str, key: str) -> bytes:
    return hashlib.sha256(f"{question} {key}".encode()).digest()


def with_shots(prompt: Prompt, language: Language) -> Prompt:
    """Return a prompt with the examples, and nothing else, before it."""
    return Prompt(load_prompt("shots", language).fill({"task": prompt.text}))


def with_examples(prompt: Prompt, language: Language) -> Prompt:
    """Return a prompt of s2 that shows examples before its task."""
    return Prompt(load_prompt("examples", language).fill({"task": prompt.text}))
