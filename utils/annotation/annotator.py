"""Mark extra entities or parts of speech in sentences with an LLM (s1, s3)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.annotation.answers import read_answers
from utils.annotation.few_shot import ExampleForm, Shots, choose_shots
from utils.annotation.grammar import entity_grammar, pos_grammar
from utils.annotation.voting import Voting
from utils.asking.journal import Journal
from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.asking.step import LLMStep
from utils.asking.typical_answers import typical_annotation
from utils.dataset.modes import Mode
from utils.dataset.reading import Dataset
from utils.dataset.records import Sentence, text_hash
from utils.dataset.tokens import Language, join_tokens
from utils.labels.files import display_names, read_label_names
from utils.labels.normaliser import LabelNormaliser
from utils.llm import Request
from utils.parsing import ITEM_KEYS
from utils.prompts import Prompt, load_prompt

# Tokens that an answer may take for each token of its sentence, by density, besides a fixed part. An item takes
# about 12 tokens and its text; there is about one word for 1.5 characters. More only feeds a model that repeats itself.
BUDGET: dict[Mode, dict[bool, int]] = {"entity": {False: 10, True: 4}, "pos": {False: 18, True: 11}}
FIXED_BUDGET = 96
# A guided `pos` answer comes to an end by itself, and has room for every token as a word, spelt byte by byte.
GUIDED_WORD = 16
GREEDY = SamplingSettings()


@dataclass(frozen=True)
class Wording:
    """In which language sentences are asked about, and what the prompt holds that is not the project's own."""

    language: Language
    prompt: Prompt | None = None  # None: the project's prompt in that language
    shots: int = 0  # annotated sentences that a prompt shows
    pool: Sequence[Sentence] = ()  # what they are drawn from
    seed: int = 42  # with which they are drawn

    def example_shots(self, mode: Mode, names: Mapping[str, str], label_file: Path, *, dense: bool) -> Shots | None:
        """Return the examples that prompts show, their labels called as in the list of labels where that has them."""
        if not self.shots:
            return None
        canonical = LabelNormaliser.from_files([label_file])
        form = ExampleForm(
            load_prompt("example", self.language),
            ITEM_KEYS[mode],
            lambda label: names.get(canonical(label) or "", label),
            dense,
        )
        return choose_shots(self.pool, mode, form, number=self.shots, seed=self.seed)


@dataclass(frozen=True)
class Annotator:
    """How sentences are asked about: what is marked, in which words, and with which labels."""

    mode: Mode
    prompt: Prompt
    labels: tuple[str, ...]  # shown in the prompt
    dense: bool
    guided: bool
    max_new_tokens: int | None = None  # None: from the sentence's length
    sampling: SamplingSettings = GREEDY
    shots: Shots | None = None
    voting: Voting | None = None  # None: one answer a sentence
    closed: bool = True  # a guided answer has no other labels

    @classmethod
    def for_dataset(
        cls, mode: Mode, dataset: Dataset, label_file: Path, *, wording: Wording | None = None, **settings: Any
    ) -> Annotator:
        """Return the annotator of a dataset and of a label file's labels, with `settings`: its other fields."""
        wording = wording or Wording(dataset.language)
        names = display_names(read_label_names(label_file), wording.language)
        prompt = wording.prompt or load_prompt(mode, wording.language)
        shots = wording.example_shots(mode, names, label_file, dense=dataset.dense)
        return cls(mode, prompt, tuple(names.values()), dataset.dense, shots=shots, **settings)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return all that changes an answer besides the model and the sentence."""
        return {
            "task": self.mode,
            "prompt": self.prompt.digest,
            "labels": list(self.labels),
            "dense": self.dense,
            "decoding": self.sampling.parameters,
            "guided": self.guided,
            **({"closed_labels": self.closed} if self.guided else {}),
            "max_new_tokens": self.max_new_tokens or "from each sentence",
            **({"shots": self.shots.parameters} if self.shots else {}),
        }

    @property
    def num_answers(self) -> int:
        """How many answers a sentence is asked for."""
        return self.voting.num_answers if self.voting else 1

    @property
    def result_parameters(self) -> dict[str, Any]:
        """Return what changes the result and no answer: with more votes, the answers that are there stay good."""
        return self.voting.parameters if self.voting else {}

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return what the LLM is asked about a sentence, for the first or another one of several answers."""
        text = join_tokens(sentence.tokens, dense=self.dense)
        examples = self.shots.text_for(sentence) if self.shots else ""
        prompt = self.prompt.fill({"labels": ", ".join(self.labels), "examples": examples, "sentence": text})
        budget = self.max_new_tokens or FIXED_BUDGET + self._longest_answer(sentence)
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(sentence.id, self.mode, prompt, budget, sampling, self._grammar(sentence), sample)
        label = self.labels[len(self.labels) // 2] if self.labels else ""
        typical = typical_annotation(self.mode, sentence.tokens, label, ITEM_KEYS[self.mode], dense=self.dense)
        return Question(request, text_hash(sentence.tokens), typical)

    def _longest_answer(self, sentence: Sentence) -> int:
        if self.guided and self.mode == "pos":
            return sum(GUIDED_WORD + len(json.dumps(token, ensure_ascii=False).encode()) for token in sentence.tokens)
        usual = BUDGET[self.mode][self.dense]
        # A long token, as an address is, may be marked too, spelt byte by byte: a first item is always whole.
        return sum(max(usual, len(json.dumps(token, ensure_ascii=False).encode()) - 1) for token in sentence.tokens)

    def _grammar(self, sentence: Sentence) -> str | None:
        if not self.guided:
            return None
        build = entity_grammar if self.mode == "entity" else pos_grammar
        return build(sentence.tokens, self.labels if self.closed else None, dense=self.dense)


@dataclass(frozen=True, slots=True)
class AnnotationCounts:
    """What became of the answers of one step."""

    sentences: int
    skipped: int
    unreadable: int  # sentences of which no answer could be read
    items: int
    lost: int  # items that do not stand in their sentence
    outvoted: int | None = None  # spans that too few answers mark; None where no votes were taken

    def __str__(self) -> str:
        skipped = f"{self.skipped} skipped, " if self.skipped else ""
        outvoted = "" if self.outvoted is None else f", {self.outvoted} spans outvoted"
        return (
            f"labelled {self.sentences} sentences: {skipped}{self.unreadable} answers unreadable, "
            f"{self.lost} of {self.items} items not in their sentence{outvoted}"
        )

    def as_row(self) -> dict[str, int]:
        """Return the counts as a manifest holds them."""
        return {name: number for name, number in asdict(self).items() if number is not None}

    @property
    def advice(self) -> str | None:
        """Say what to try where more than half of the answers, or of the items, came to nothing."""
        if 2 * self.unreadable > self.sentences - self.skipped:
            return "most answers are unreadable: try a larger model, or one that can be guided (--guided)"
        if 2 * self.lost > self.items > 0:
            return "most items are not in their sentence: try a larger model, or one that can be guided (--guided)"
        return None


def annotate(
    sentences: Sequence[Sentence], annotator: Annotator, step: LLMStep, *, skip: int = -1, limit: int | None = None
) -> AnnotationCounts:
    """Ask about the `limit` sentences behind the first `skip`, and publish a line for every one of them all."""
    with step.start() as run:
        run.ask(questions(sentences, annotator, skip=skip, limit=limit))
        rows, counts = answer_rows(sentences, annotator, run.journal)
        run.publish(rows, counts)
    return counts


def questions(
    sentences: Sequence[Sentence], annotator: Annotator, *, skip: int = -1, limit: int | None = None
) -> list[Question]:
    """Return what to ask about the `limit` sentences behind the first `skip`; one without text is not asked about."""
    chosen = [sentence for sentence in sentences[max(0, skip) :][:limit] if _has_text(sentence)]
    return [annotator.question(sentence, sample) for sentence in chosen for sample in range(annotator.num_answers)]


def answer_rows(
    sentences: Sequence[Sentence], annotator: Annotator, journal: Journal
) -> tuple[list[dict[str, Any]], AnnotationCounts]:
    """Return one line for each sentence, in order, made from the journal's answers, and what became of them."""
    annotations = [
        read_answers(_recorded(sentence, annotator, journal), sentence, annotator.mode, annotator.voting)
        for sentence in sentences
    ]
    rows = [
        annotation.row_of(sentence, annotator.mode, asked=_has_text(sentence))
        for sentence, annotation in zip(sentences, annotations, strict=True)
    ]
    statuses = [row.status for row in rows]
    counts = AnnotationCounts(
        sentences=len(rows),
        skipped=statuses.count("skipped"),
        unreadable=statuses.count("unreadable"),
        items=sum(one.num_items for one in annotations),
        lost=sum(one.lost for one in annotations),
        outvoted=sum(one.outvoted for one in annotations) if annotator.voting else None,
    )
    return [row.to_json() for row in rows], counts


def _recorded(sentence: Sentence, annotator: Annotator, journal: Journal) -> list[str]:
    """Return the answers to a sentence that the journal holds."""
    keys = [
        (sentence.id, annotator.mode, text_hash(sentence.tokens), sample) for sample in range(annotator.num_answers)
    ]
    return [journal.entries[key].answer for key in keys if key in journal.entries]


def _has_text(sentence: Sentence) -> bool:
    return any(token.strip() for token in sentence.tokens)
