"""The questions of s1 and s3: prompts that ask for the entities, parts of speech or target labels of a sentence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from utils.annotation.few_shot import ShotFormat, Shots, choose_shots
from utils.annotation.grammar import EntityBounds, entity_grammar, pos_grammar
from utils.annotation.settings import GREEDY, AnnotationSettings
from utils.annotation.targets.bounds import learn_bounds
from utils.annotation.targets.grammar import target_grammar
from utils.annotation.targets.guide import LabelGuide, draft_guide, read_guide
from utils.annotation.targets.similar_shots import SimilarShots
from utils.annotation.voting import Voting
from utils.asking.questions import Question
from utils.asking.sampling import SamplingSettings
from utils.asking.typical_answers import typical_annotation
from utils.dataset.modes import Mode
from utils.dataset.reading import Dataset
from utils.dataset.records import Sentence, text_hash
from utils.dataset.splits import smallest_size
from utils.dataset.tokens import CHARACTERS, WORDS, Tokenisation
from utils.labels.files import display_names, read_label_names
from utils.labels.normaliser import LabelNormaliser
from utils.llm import Guidance, Message, Request
from utils.llm.item_form import ItemForm, JsonGuidance
from utils.parsing import ITEM_KEYS
from utils.prompts import Prompt, load_prompt

# The maximum length of an answer in tokens: a fixed number, plus a number for each token of the sentence. An item takes
# about 12 tokens in addition to its text; dense text has about one word per 1.5 characters. A higher limit would only
# lengthen answers that repeat themselves.
FIXED_TOKENS = 96
TOKENS_PER_TOKEN: dict[Mode, dict[Tokenisation, int]] = {
    "entity": {WORDS: 10, CHARACTERS: 4},
    "pos": {WORDS: 18, CHARACTERS: 11},
    "target": {WORDS: 18, CHARACTERS: 11},  # the dataset's spans may be its words
}
# A guided `pos` answer ends by itself. Its limit allows each token to be a word, with one token for each byte of it.
GUIDED_WORD_TOKENS = 16  # in addition to the bytes of the word
FORM_WORD_TOKENS = 24  # the same in an answer that is held to a JSON schema: each word has its own key


@dataclass(frozen=True)
class Annotator:
    """Builds the questions about sentences: prompt, labels, limits of the answer, and sampling."""

    mode: Mode
    prompt: Prompt
    labels: tuple[str, ...]  # listed in the prompt
    tokenisation: Tokenisation
    guided: bool
    max_new_tokens: int | None = None  # None: depends on the sentence's length
    sampling: SamplingSettings = GREEDY
    shots: Shots | None = None
    voting: Voting | None = None  # None: one answer for each sentence
    closed_labels: bool = True  # a guided answer can only have the listed labels
    guide: LabelGuide | None = None  # of target labels
    similar_shots: SimilarShots | None = None
    bounds: EntityBounds | None = None  # of entities in guided answers; None: those of extra entities
    json_guidance: JsonGuidance | None = None  # of a server that knows no grammars; None: no form, or a grammar

    @classmethod
    def for_dataset(cls, dataset: Dataset, settings: AnnotationSettings) -> Annotator:
        """Return the unguided annotator that the settings describe."""
        if settings.mode == "target":
            return cls._for_targets(dataset, settings)
        language = settings.language or dataset.language
        names = display_names(read_label_names(settings.label_file), language)
        canonical = LabelNormaliser.from_files([settings.label_file])

        def shown(label: str) -> str:
            """Return the name of a target label in the list of the prompt; a label without one stays as it is."""
            return names.get(canonical(label) or "", label)

        return cls(
            mode=settings.mode,
            prompt=settings.prompt or load_prompt(settings.mode, language),
            labels=tuple(names.values()),
            tokenisation=dataset.tokenisation,
            guided=False,
            max_new_tokens=settings.max_new_tokens,
            sampling=settings.sampling,
            shots=_draw_shots(dataset, settings, _shot_format(dataset, settings, shown))
            if settings.num_shots
            else None,
            voting=_voting(settings) if settings.votes > 1 else None,
            closed_labels=settings.closed_labels,
        )

    @classmethod
    def _for_targets(cls, dataset: Dataset, settings: AnnotationSettings) -> Annotator:
        """Return the unguided annotator that asks for the labels of the dataset."""
        shot_format = _shot_format(dataset, settings, str)
        shots = _draw_shots(dataset, settings, shot_format) if settings.num_shots else None
        return cls(
            mode="target",
            prompt=settings.prompt or load_prompt("target", settings.language or dataset.language),
            labels=dataset.targets,
            tokenisation=dataset.tokenisation,
            guided=False,
            max_new_tokens=settings.max_new_tokens,
            sampling=settings.sampling,
            shots=shots,
            voting=Voting(settings.votes, settings.min_votes, str) if settings.votes > 1 else None,
            guide=_label_guide(dataset, settings),
            similar_shots=SimilarShots(
                dataset.sentences, shot_format, settings.num_similar_shots, shots, settings.is_held_out
            )
            if settings.num_similar_shots
            else None,
            bounds=learn_bounds(_smallest_size(dataset), dataset.tokenisation),
        )

    def with_guidance(self, guidance: Guidance) -> Annotator:
        """Return the annotator whose answers are held to this form."""
        json_guidance = guidance if guidance in ("json_schema", "json_object") else None
        return replace(self, guided=guidance == "grammar", json_guidance=json_guidance)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that affect an answer, without the model and the sentence."""
        return {
            "task": self.mode,
            "prompt": self.prompt.digest,
            "labels": list(self.labels),
            "dense": self.tokenisation.is_dense,
            "decoding": self.sampling.parameters,
            "guided": self.json_guidance or self.guided,
            **({"closed_labels": self.closed_labels} if self.guided or self.json_guidance == "json_schema" else {}),
            **({"entity_bounds": asdict(self.bounds)} if self.guided and self.bounds else {}),
            "max_new_tokens": self.max_new_tokens or "from each sentence",
            **({"shots": self.shots.parameters} if self.shots else {}),
            **({"similar_shots": self.similar_shots.parameters} if self.similar_shots else {}),
            **({"label_guide": self.guide.parameters} if self.guide else {}),
        }

    @property
    def result_parameters(self) -> dict[str, Any]:
        """Return the settings that affect only the result: recorded answers stay valid if these settings change."""
        return self.voting.parameters if self.voting else {}

    @property
    def num_answers(self) -> int:
        """The number of answers for each sentence."""
        return self.voting.num_answers if self.voting else 1

    def question(self, sentence: Sentence, sample: int = 0) -> Question:
        """Return the question about a sentence; `sample` is the index of the answer, from 0, with several answers."""
        *earlier, prompt = self._messages(sentence)
        max_new_tokens = self.max_new_tokens or FIXED_TOKENS + self._answer_tokens(sentence)
        sampling = self.sampling.sampling(sentence.id, sample)
        request = Request(
            sentence.id,
            self.mode,
            prompt.text,
            max_new_tokens,
            sampling,
            self._grammar(sentence),
            sample,
            tuple(earlier),
            self._form(sentence),
        )
        label = self.labels[len(self.labels) // 2] if self.labels else ""
        typical = typical_annotation(
            self.mode, sentence.tokens, label, ITEM_KEYS[self.mode], tokenisation=self.tokenisation
        )
        return Question(request, self.input_hash(sentence), typical)

    def _messages(self, sentence: Sentence) -> list[Message]:
        """Return the messages that ask about a sentence; in a chat, each shot is a message with its answer."""
        shown = [shots for shots in (self.shots, self.similar_shots) if shots]
        guide = self.guide.text if self.guide else ""
        values = {"labels": ", ".join(self.labels), "guide": guide}
        asked = {**values, "sentence": self.tokenisation.join(sentence.tokens)}
        if not self.prompt.sections:
            examples = "".join(shots.text_for(sentence) for shots in shown)
            return [Message("user", self.prompt.fill({**asked, "examples": examples}))]
        *fixed, question, answer = self.prompt.sections
        messages = [Message(section.role, section.fill(values)) for section in fixed]
        for shot in (shot for shots in shown for shot in shots.shown_for(sentence)):
            pair = {**values, "sentence": shot.sentence, "answer": shot.answer}
            messages += [Message(section.role, section.fill(pair)) for section in (question, answer)]
        return [*messages, Message("user", question.fill(asked))]

    @property
    def shows_examples(self) -> bool:
        """Whether the input hash of a sentence is not that of its text alone."""
        return self.shots is not None or self.similar_shots is not None

    def input_hash(self, sentence: Sentence) -> str:
        """Return the SHA-256 of the sentence, and of the examples that its prompt shows."""
        own = text_hash(sentence.tokens)
        if not self.shows_examples:
            return own
        examples = [shots.text_for(sentence) for shots in (self.shots, self.similar_shots) if shots]
        return hashlib.sha256("\n".join([own, *examples]).encode()).hexdigest()

    def _answer_tokens(self, sentence: Sentence) -> int:
        """Return the maximum length of an answer in tokens, without the fixed number."""
        if self.guided and self.mode == "pos":
            return sum(GUIDED_WORD_TOKENS + _json_bytes(token) for token in sentence.tokens)
        if self.json_guidance == "json_schema" and self._has_fixed_words:
            return sum(FORM_WORD_TOKENS + _json_bytes(token) for token in sentence.tokens)
        usual = TOKENS_PER_TOKEN[self.mode][self.tokenisation]
        # A long token, such as a web address, may be an entity and may take one token for each byte. With this limit,
        # at least the first item of an answer is complete.
        return sum(max(usual, _json_bytes(token) - 1) for token in sentence.tokens)

    @property
    def _has_fixed_words(self) -> bool:
        """Whether the words of an answer are the tokens of the sentence."""
        return self.mode == "pos" and not self.tokenisation.is_dense

    def _form(self, sentence: Sentence) -> ItemForm | None:
        if self.json_guidance is None:
            return None
        words = tuple(token for token in sentence.tokens if token.strip()) if self._has_fixed_words else None
        return ItemForm(self.json_guidance, ITEM_KEYS[self.mode], self.labels if self.closed_labels else None, words)

    def _grammar(self, sentence: Sentence) -> str | None:
        if not self.guided:
            return None
        labels = self.labels if self.closed_labels else None
        if self.mode == "pos":
            return pos_grammar(sentence.tokens, labels, tokenisation=self.tokenisation)
        if self.bounds:
            return target_grammar(sentence.tokens, self.labels, tokenisation=self.tokenisation, bounds=self.bounds)
        return entity_grammar(sentence.tokens, labels, tokenisation=self.tokenisation)


def _shot_format(dataset: Dataset, settings: AnnotationSettings, display_name: Callable[[str], str]) -> ShotFormat:
    prompt = load_prompt("example", settings.language or dataset.language)
    return ShotFormat(prompt, ITEM_KEYS[settings.mode], display_name, dataset.tokenisation)


def _draw_shots(dataset: Dataset, settings: AnnotationSettings, shot_format: ShotFormat) -> Shots:
    """Return shots from the smallest size. Every size contains it, so no shot comes from outside a size."""
    pool = _smallest_size(dataset)
    return choose_shots(pool, settings.mode, shot_format, number=settings.num_shots, seed=settings.sampling.seed)


def _label_guide(dataset: Dataset, settings: AnnotationSettings) -> LabelGuide:
    """Return the user's guide, or a draft from the smallest size; labels that are not in the user's are drafted."""
    draft = draft_guide(dataset.targets, _smallest_size(dataset), dataset.tokenisation)
    return read_guide(settings.label_guide, draft) if settings.label_guide else draft


def _smallest_size(dataset: Dataset) -> Sequence[Sentence]:
    return smallest_size(dataset.sentences)


def _voting(settings: AnnotationSettings) -> Voting:
    return Voting(settings.votes, settings.min_votes, LabelNormaliser.from_files([settings.label_file]))


def _json_bytes(text: str) -> int:
    """Return the length in bytes of a text as a JSON string, quotation marks included."""
    return len(json.dumps(text, ensure_ascii=False).encode())
