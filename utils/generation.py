"""New sentences: an LLM continues a sentence and explains the entities in it (s2)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from utils.asking import Question
from utils.dataset import Dataset
from utils.drawing import Drawing
from utils.journal import Journal
from utils.llm import Request
from utils.llm_step import LLMStep
from utils.placing import TokenIndex
from utils.prompts import Prompt, load_prompt
from utils.records import Sentence, same_text_key, text_hash
from utils.sentences import cut_sentences, is_remark, parts_punctuation, tokenise_like_dataset
from utils.tokens import Language, join_tokens

Drop = Literal["a remark", "too short", "too long", "copied", "in dev or test"]
SHORTEST, LONGEST = 5, 128  # tokens
MAX_NEW_TOKENS = 256  # of an answer, where nothing else is asked for


@dataclass(frozen=True)
class Generator:
    """How sentences are continued."""

    prompt: Prompt
    language: str  # a code such as "zh"
    dense: bool
    parts_punctuation: bool  # whether the dataset keeps punctuation marks apart from words
    drawing: Drawing
    max_new_tokens: int = MAX_NEW_TOKENS

    def question(self, sentence: Sentence) -> Question:
        """Return what the LLM is asked to continue; the seed is the sentence's own, whatever the order."""
        asked = ", ".join(asked_entities(sentence, dense=self.dense))
        text = join_tokens(sentence.tokens, dense=self.dense)
        prompt = self.prompt.fill({"entities": asked, "sentence": text})
        drawn = self.drawing.sampling(sentence.id)
        request = Request(sentence.id, "explain", prompt, self.max_new_tokens, drawn)
        return Question(request, input_hash(sentence))

    @classmethod
    def for_dataset(
        cls,
        dataset: Dataset,
        drawing: Drawing,
        *,
        language: Language | None = None,
        prompt: Prompt | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Generator:
        """Return the generator that cuts words as the dataset does and, if nothing is given, speaks its language."""
        language = language or dataset.language
        parts = parts_punctuation(sentence.tokens for sentence in dataset.sentences)
        asked = prompt or load_prompt("explain", language)
        return cls(asked, language, dataset.dense, parts, drawing, max_new_tokens)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return all that changes an answer besides the model and the sentence."""
        return {
            "task": "explain",
            "prompt": self.prompt.digest,
            "dense": self.dense,
            "decoding": self.drawing.parameters,
            "max_new_tokens": self.max_new_tokens,
        }


@dataclass
class GenerationCounts:
    """What became of the answers of s2."""

    asked: int = 0
    without_entity: int = 0
    skipped: int = 0
    made: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def note(self, reason: Drop | None) -> None:
        """Count a new sentence, and why it was dropped, if it was."""
        self.made += 1
        if reason is None:
            self.kept += 1
        else:
            self.dropped[reason] += 1

    def pass_over(self, sentence: Sentence) -> None:
        """Count a sentence that has no answer: it was not asked about yet, or there is nothing to explain."""
        if sentence.spans:
            self.skipped += 1
        else:
            self.without_entity += 1

    def __str__(self) -> str:
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(self.dropped.items()))
        dropped = f", dropped {self.dropped.total()} ({reasons})" if reasons else ""
        passed = f"; {self.without_entity} had no entity to explain" if self.without_entity else ""
        passed += f"; {self.skipped} skipped" if self.skipped else ""
        return f"continued {self.asked} sentences{passed}: kept {self.kept} of {self.made} new sentences{dropped}"

    def as_row(self) -> dict[str, Any]:
        """Return the counts as a manifest holds them."""
        return asdict(self) | {"dropped": dict(sorted(self.dropped.items()))}

    @property
    def advice(self) -> str | None:
        """Say what to try where more than half of the new sentences were dropped, or none was made."""
        if self.asked and not self.made:
            return "no sentence was made: try a larger model, or a larger --max_new_tokens"
        return "most were dropped: try a larger model, or another --temperature" if 2 * self.kept < self.made else None


def generate(
    sentences: Sequence[Sentence],
    generator: Generator,
    step: LLMStep,
    *,
    barred: Collection[str],
    limit: int | None = None,
) -> GenerationCounts:
    """Ask for the continuation of every one of the first `limit` sentences that has an entity; publish what came of it.

    `barred` holds the texts that must not come in, those of dev and test, as `same_text_key` gives them.
    """
    asked = questions(sentences[:limit], generator)
    return step.run(asked, lambda journal: synthetic_rows(sentences, generator, journal, barred=barred))


def questions(sentences: Sequence[Sentence], generator: Generator) -> list[Question]:
    """Return what to ask about the sentences that have an entity to explain."""
    return [generator.question(sentence) for sentence in sentences if sentence.spans]


def synthetic_rows(
    sentences: Sequence[Sentence], generator: Generator, journal: Journal, *, barred: Collection[str]
) -> tuple[list[dict[str, Any]], GenerationCounts]:
    """Return a line for each new sentence, by source and place, and what became of the answers."""
    rows: list[dict[str, Any]] = []
    counts = GenerationCounts()
    known = {same_text_key(sentence.tokens) for sentence in sentences}
    for sentence in sentences:
        entry = journal.entries.get((sentence.id, "explain", input_hash(sentence), 0))
        if entry is None:
            counts.pass_over(sentence)
            continue
        counts.asked += 1
        kept = []
        for text in cut_sentences(entry.answer, language=generator.language):
            tokens = tokenise_like_dataset(text, dense=generator.dense, parts_punctuation=generator.parts_punctuation)
            reason = "a remark" if is_remark(text) else _reason_to_drop(tokens, sentence, known, barred)
            counts.note(reason)
            if reason is None:
                known.add(same_text_key(tokens))
                kept.append(tokens)
        rows += [_row(sentence, number, tokens, generator) for number, tokens in enumerate(kept, start=1)]
    return rows, counts


def asked_entities(sentence: Sentence, *, dense: bool) -> list[str]:
    """Return the entities of a sentence with their labels, `邓超(PER.NAM)`, each once."""
    asked = (
        f"{join_tokens(sentence.tokens[span.start : span.end], dense=dense)}({span.label})" for span in sentence.spans
    )
    return list(dict.fromkeys(asked))


def input_hash(sentence: Sentence) -> str:
    """Return the SHA-256 of what a sentence brings into its prompt: its text, its spans and their labels."""
    spans = [f"{span.start} {span.end} {span.label}" for span in sentence.spans]
    return hashlib.sha256("\n".join([text_hash(sentence.tokens), *spans]).encode()).hexdigest()


def _reason_to_drop(
    tokens: Sequence[str], source: Sentence, known: Collection[str], barred: Collection[str]
) -> Drop | None:
    key = same_text_key(tokens)
    if key in barred:
        return "in dev or test"
    given = same_text_key(source.tokens)
    if key in known or given in key or key.rstrip(".!?。！？…") in given:
        return "copied"
    if len(tokens) < SHORTEST:
        return "too short"
    return "too long" if len(tokens) > LONGEST else None


def _row(sentence: Sentence, number: int, tokens: list[str], generator: Generator) -> dict[str, Any]:
    index = TokenIndex(tokens)
    names = (join_tokens(sentence.tokens[span.start : span.end], dense=generator.dense) for span in sentence.spans)
    return {
        "id": f"{sentence.id}-{number}",
        "source": int(sentence.id),
        "text": tokens,
        "entities": [],
        "synthetic": True,
        "asked": asked_entities(sentence, dense=generator.dense),
        "mentions": [name for name in dict.fromkeys(names) if index.find(name)],
    }
