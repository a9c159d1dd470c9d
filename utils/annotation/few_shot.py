"""Annotated sentences that a prompt shows as examples of what is asked for (s1, s3)."""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from utils.dataset.modes import Mode
from utils.dataset.records import Sentence, Span, same_text_key
from utils.dataset.tokens import join_tokens
from utils.prompts import Prompt

log = logging.getLogger(__name__)

LACKING: dict[Mode, str] = {
    "entity": "no sentence has an annotated entity",
    "pos": "no sentence is annotated with parts of speech, word by word,",
}


@dataclass(frozen=True)
class Example:
    """A sentence as it is shown, with the answer to it; `key` tells whether another sentence has the same text."""

    key: str
    text: str


@dataclass(frozen=True)
class Shots:
    """The examples of one run, in the order in which they are shown."""

    examples: Sequence[Example]  # one more than are shown, to take the place of the asked sentence itself
    number: int
    seed: int

    def text_for(self, sentence: Sentence) -> str:
        """Return the examples that a sentence's prompt shows, a block each; the sentence itself is never one."""
        key = same_text_key(sentence.tokens)
        others = [example.text for example in self.examples if example.key != key]
        return "".join(f"\n{text}" for text in others[: self.number])

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what a result's fingerprint holds."""
        text = "\n".join(example.text for example in self.examples)
        return {"number": self.number, "seed": self.seed, "examples": hashlib.sha256(text.encode()).hexdigest()}


@dataclass(frozen=True)
class ExampleForm:
    """How annotated sentences become examples: the words around them, and the labels' names in the prompt."""

    prompt: Prompt  # with {sentence} and {answer}
    keys: tuple[str, str]  # of an item's text and label
    name: Callable[[str], str]  # what a target label is called in the prompt
    dense: bool

    def example(self, sentence: Sentence, spans: Sequence[Span]) -> Example:
        """Return a sentence with some of its spans as the answer to it."""
        tokens = sentence.tokens
        items = [(join_tokens(tokens[span.start : span.end], dense=self.dense), span.label) for span in spans]
        rows = [dict(zip(self.keys, (text, self.name(label)), strict=True)) for text, label in dict.fromkeys(items)]
        values = {
            "sentence": join_tokens(tokens, dense=self.dense),
            "answer": json.dumps(rows, ensure_ascii=False, separators=(",", ":")),
        }
        return Example(same_text_key(tokens), self.prompt.fill(values))


def choose_shots(pool: Sequence[Sentence], mode: Mode, form: ExampleForm, *, number: int, seed: int) -> Shots:
    """Return examples drawn from `pool`: sentences with a gold span or, for parts of speech, gold words throughout.

    Raises ValueError where `pool` has none.
    """
    spans_of = {"entity": _entities, "pos": _words}[mode]
    examples: dict[str, Example] = {}
    for sentence in pool:
        spans = spans_of(sentence)
        if spans:
            example = form.example(sentence, spans)
            examples.setdefault(example.key, example)
    if not examples:
        raise ValueError(f"--shots={number}: {LACKING[mode]} among the {len(pool)} sentences of the smallest size")
    if len(examples) <= number:
        log.info("--shots=%d: the smallest size has %d sentences to show; all of them are used", number, len(examples))
    drawn = random.Random(seed).sample(list(examples.values()), min(number + 1, len(examples)))
    return Shots(tuple(drawn), number, seed)


def _entities(sentence: Sentence) -> Sequence[Span]:
    return [span for span in sentence.spans if span.origin is None]


def _words(sentence: Sentence) -> Sequence[Span]:
    """Return the gold spans of a sentence in order if they are its words: each token in one of them, none nested."""
    spans = sorted(_entities(sentence), key=lambda span: span.start)
    covered = [index for span in spans for index in range(span.start, span.end)]
    return spans if covered == [index for index, token in enumerate(sentence.tokens) if token.strip()] else []
