"""The questions of s1 and s3: prompts that ask for the entities, parts of speech or target labels of a sentence."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from utils.annotation.answer_length import has_fixed_words, max_answer_tokens
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
from utils.dataset.records import Sentence
from utils.dataset.splits import smallest_size
from utils.dataset.tokens import Tokenisation, text_hash
from utils.labels.files import display_names, read_label_names
from utils.labels.normaliser import LabelNormaliser
from utils.llm import Guidance, Message, Request
from utils.llm.item_form import ItemForm
from utils.parsing import ITEM_KEYS
from utils.prompts import Prompt, load_prompt


@dataclass(frozen=True)
class Annotator:
    """Builds the questions about sentences: prompt, labels, limits of the answer, and sampling."""

    mode: Mode
    prompt: Prompt
    labels: tuple[str, ...]  # listed in the prompt
    tokenisation: Tokenisation
    guidance: Guidance = "free"  # the form that answers are held to
    max_new_tokens: int | None = None  # None: depends on the sentence's length
    sampling: SamplingSettings = GREEDY
    shots: Shots | None = None
    voting: Voting | None = None  # None: one answer for each sentence
    closed_labels: bool = True  # a guided answer can only have the listed labels
    guide: LabelGuide | None = None  # of target labels
    similar_shots: SimilarShots | None = None
    bounds: EntityBounds | None = None  # of entities in guided answers; None: those of extra entities

    @classmethod
    def for_dataset(cls, dataset: Dataset, settings: AnnotationSettings) -> Annotator:
        """Return the unguided annotator that the settings describe."""
        is_target = settings.mode == "target"
        language = settings.language or dataset.language
        names = {} if is_target else display_names(read_label_names(settings.label_file), language)
        canonical = None if is_target else LabelNormaliser.from_files([settings.label_file])

        def shown(label: str) -> str:
            """Return the name of a target label in the list of the prompt; a label without one stays as it is."""
            return names.get(canonical(label) or "", label) if canonical else label

        shot_format = ShotFormat(
            load_prompt("example", language), ITEM_KEYS[settings.mode], shown, dataset.tokenisation
        )
        annotator = cls(
            mode=settings.mode,
            prompt=settings.prompt or load_prompt(settings.mode, language),
            labels=dataset.targets if is_target else tuple(names.values()),
            tokenisation=dataset.tokenisation,
            max_new_tokens=settings.max_new_tokens,
            sampling=settings.sampling,
            shots=_draw_shots(dataset, settings, shot_format) if settings.num_shots else None,
            voting=Voting(settings.votes, settings.min_votes, canonical or str) if settings.votes > 1 else None,
            closed_labels=settings.closed_labels,
        )
        return annotator._for_targets(dataset, settings, shot_format) if is_target else annotator

    def _for_targets(self, dataset: Dataset, settings: AnnotationSettings, shot_format: ShotFormat) -> Annotator:
        """Return the annotator with what only questions about target labels have."""
        number = settings.num_similar_shots
        similar = SimilarShots(dataset.sentences, shot_format, number, self.shots, settings.is_held_out)
        return replace(
            self,
            guide=_label_guide(dataset, settings),
            similar_shots=similar if number else None,
            bounds=learn_bounds(smallest_size(dataset.sentences), dataset.tokenisation),
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the settings that affect an answer, without the model and the sentence."""
        return {
            "task": self.mode,
            "prompt": self.prompt.digest,
            "labels": list(self.labels),
            "dense": self.tokenisation.is_dense,
            "decoding": self.sampling.parameters,
            "guided": {"grammar": True, "free": False}.get(self.guidance, self.guidance),
            **({"closed_labels": self.closed_labels} if self.guidance in ("grammar", "json_schema") else {}),
            **({"entity_bounds": asdict(self.bounds)} if self.guidance == "grammar" and self.bounds else {}),
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
        max_new_tokens = self.max_new_tokens or max_answer_tokens(
            sentence.tokens, self.mode, self.tokenisation, self.guidance
        )
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

    def _form(self, sentence: Sentence) -> ItemForm | None:
        """Return the JSON form of an answer for a server that has no grammars."""
        if self.guidance == "grammar" or self.guidance == "free":  # noqa: PLR1714  # narrows the type
            return None
        is_fixed = has_fixed_words(self.mode, self.tokenisation)
        words = tuple(token for token in sentence.tokens if token.strip()) if is_fixed else None
        return ItemForm(self.guidance, ITEM_KEYS[self.mode], self.labels if self.closed_labels else None, words)

    def _grammar(self, sentence: Sentence) -> str | None:
        if self.guidance != "grammar":
            return None
        labels = self.labels if self.closed_labels else None
        if self.mode == "pos":
            return pos_grammar(sentence.tokens, labels, tokenisation=self.tokenisation)
        if self.bounds:
            return target_grammar(sentence.tokens, self.labels, tokenisation=self.tokenisation, bounds=self.bounds)
        return entity_grammar(sentence.tokens, labels, tokenisation=self.tokenisation)


def _draw_shots(dataset: Dataset, settings: AnnotationSettings, shot_format: ShotFormat) -> Shots:
    """Return shots from the smallest size. Every size contains it, so no shot comes from outside a size."""
    pool = smallest_size(dataset.sentences)
    return choose_shots(pool, settings.mode, shot_format, number=settings.num_shots, seed=settings.sampling.seed)


def _label_guide(dataset: Dataset, settings: AnnotationSettings) -> LabelGuide:
    """Return the user's guide, or a draft from the smallest size; labels that are not in the user's are drafted."""
    draft = draft_guide(dataset.targets, smallest_size(dataset.sentences), dataset.tokenisation)
    return read_guide(settings.label_guide, draft) if settings.label_guide else draft
