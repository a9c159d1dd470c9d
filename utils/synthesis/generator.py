"""What an LLM is asked for new sentences: to go on from a sentence, and to tell of the entities in it (s2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.asking.typical_answers import typical_continuation
from utils.dataset.records import Sentence, text_hash
from utils.dataset.tokens import Language, join_tokens
from utils.llm import Request
from utils.prompts import Prompt, load_prompt

PromptStyle = Literal["explain", "continue", "dialogue", "news"]

TASK: Literal["explain"] = "explain"  # as journals and recordings call it, in every style
MAX_NEW_TOKENS = 256  # of an answer, where nothing else is asked for


@dataclass(frozen=True)
class Generator:
    """How an LLM is asked for new sentences."""

    prompt: Prompt
    dense: bool
    sampling: SamplingSettings
    max_new_tokens: int = MAX_NEW_TOKENS

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return what the LLM is asked; each answer to a sentence is drawn from a seed of its own."""
        asked = ", ".join(asked_entities(sentence, dense=self.dense))
        text = join_tokens(sentence.tokens, dense=self.dense)
        prompt = self.prompt.fill({"entities": asked, "sentence": text})
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(sentence.id, TASK, prompt, self.max_new_tokens, sampling, sample=sample)
        return Question(request, input_hash(sentence), typical_continuation(text, dense=self.dense))

    @property
    def parameters(self) -> dict[str, Any]:
        """Return all that changes an answer besides the model and the sentence."""
        return {
            "task": TASK,
            "prompt": self.prompt.digest,
            "dense": self.dense,
            "decoding": self.sampling.parameters,
            "max_new_tokens": self.max_new_tokens,
        }


def style_prompt(style: PromptStyle, language: Language) -> Prompt:
    """Return the project's prompt for new sentences of a style."""
    return load_prompt(style, language)


def asked_names(sentence: Sentence, *, dense: bool) -> list[str]:
    """Return the entities of a sentence without their labels, each once."""
    return list(dict.fromkeys(_name(sentence.tokens[span.start : span.end], dense) for span in sentence.spans))


def asked_entities(sentence: Sentence, *, dense: bool) -> list[str]:
    """Return the entities of a sentence with their labels, `邓超(PER.NAM)`, each once."""
    asked = (f"{_name(sentence.tokens[span.start : span.end], dense)}({span.label})" for span in sentence.spans)
    return list(dict.fromkeys(asked))


def input_hash(sentence: Sentence) -> str:
    """Return the SHA-256 of what a sentence brings into its prompt: its text, its spans and their labels."""
    spans = [f"{span.start} {span.end} {span.label}" for span in sentence.spans]
    return hashlib.sha256("\n".join([text_hash(sentence.tokens), *spans]).encode()).hexdigest()


def _name(tokens: Sequence[str], dense: bool) -> str:
    return join_tokens(tokens, dense=dense)
