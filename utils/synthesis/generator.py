"""The questions of s2: continue a sentence, and explain the entities in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.asking.typical_answers import typical_continuation
from utils.dataset.records import Sentence, text_hash
from utils.dataset.tokens import Language, Tokenisation
from utils.llm import Request
from utils.prompts import Prompt, load_prompt
from utils.synthesis.shots import StyleShots

PromptStyle = Literal["explain", "continue", "dialogue", "news"]

TASK: Literal["explain"] = "explain"  # the name in journals and recordings, for every style
MAX_NEW_TOKENS = 256  # of an answer, by default


@dataclass(frozen=True)
class Generator:
    """Builds the questions that ask an LLM for new sentences."""

    prompt: Prompt
    tokenisation: Tokenisation
    sampling: SamplingSettings
    max_new_tokens: int = MAX_NEW_TOKENS
    shots: StyleShots | None = None

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return a question about a sentence. Each sample has a different seed."""
        asked = ", ".join(asked_entities(sentence, tokenisation=self.tokenisation))
        text = self.tokenisation.join(sentence.tokens)
        examples = self.shots.lines(sentence, sample) if self.shots else ""
        prompt = self.prompt.fill({"entities": asked, "sentence": text, "examples": examples})
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(sentence.id, TASK, prompt, self.max_new_tokens, sampling, sample=sample)
        typical = typical_continuation(text, tokenisation=self.tokenisation)
        return Question(request, self.input_hash(sentence, sample), typical)

    def input_hash(self, sentence: Sentence, sample: int = 0) -> str:
        """Return the SHA-256 of what the prompt shows of the dataset: text, spans and labels, and the shots."""
        spans = [f"{span.start} {span.end} {span.label}" for span in sentence.spans]
        shots = [self.shots.lines(sentence, sample)] if self.shots else []
        return hashlib.sha256("\n".join([text_hash(sentence.tokens), *spans, *shots]).encode()).hexdigest()

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that change an answer, for the fingerprint."""
        return {
            "task": TASK,
            "prompt": self.prompt.digest,
            "dense": self.tokenisation.is_dense,
            "decoding": self.sampling.parameters,
            "max_new_tokens": self.max_new_tokens,
            **({"shots": self.shots.parameters} if self.shots else {}),
        }


def style_prompt(style: PromptStyle, language: Language) -> Prompt:
    """Return the prompt of a style."""
    return load_prompt(style, language)


def asked_names(sentence: Sentence, *, tokenisation: Tokenisation) -> list[str]:
    """Return the distinct mentions of a sentence, without labels."""
    return list(dict.fromkeys(tokenisation.join(sentence.tokens[span.start : span.end]) for span in sentence.spans))


def asked_entities(sentence: Sentence, *, tokenisation: Tokenisation) -> list[str]:
    """Return the distinct mentions of a sentence with their labels, as in `邓超(PER.NAM)`."""
    asked = (f"{tokenisation.join(sentence.tokens[span.start : span.end])}({span.label})" for span in sentence.spans)
    return list(dict.fromkeys(asked))
