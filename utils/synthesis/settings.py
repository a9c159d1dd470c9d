"""The settings of s2, from flags or a notebook, and the synthesis that they describe."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from utils.asking.sampling import SamplingSettings
from utils.dataset.layout import SIZES
from utils.dataset.modes import MentionStyle, Style
from utils.dataset.reading import Dataset
from utils.dataset.splits import first_sentences, smallest_size
from utils.dataset.tokens import Language
from utils.prompts import Prompt, load_prompt
from utils.synthesis.cleaning import Cleaner, entities_line, template_sentences
from utils.synthesis.copies.near_duplicates import KnownTexts
from utils.synthesis.generator import MAX_NEW_TOKENS, Generator
from utils.synthesis.quota import MOST_ROUNDS, Quota, rare_weights
from utils.synthesis.rewriting.names import NameLists
from utils.synthesis.rewriting.rewriter import Rewriter
from utils.synthesis.rounds import Synthesis
from utils.synthesis.shots import DEFAULT_SHOTS, StyleShots, with_examples, with_shots
from utils.synthesis.writing_style import WritingStyle

log = logging.getLogger(__name__)

CHECKED_SENTENCES = 1000  # of the dataset, whose tokens are compared after they were joined and split again
MIN_ACCURACY = 0.97  # share of them that come back as their tokens: below it, new sentences have other tokens


@dataclass(frozen=True)
class SynthesisSettings:
    """What an LLM is asked to write, how many answers, and which sentences are kept."""

    sampling: SamplingSettings
    style: Style = "explain"
    language: Language | None = None  # of the project's prompt; None: the dataset's
    prompt: Prompt | None = None  # the user's own; None: the project's
    shots: int | None = None  # None: DEFAULT_SHOTS, or 0 if the user's own prompt has no {examples}
    max_new_tokens: int | None = None  # None: MAX_NEW_TOKENS or, for given mentions, from each sentence
    num_samples: int | None = None  # None: 1, or as many as `target_sentences` needs
    rare_first: bool = False
    target_sentences: int | None = None
    stop_below: float = 0.0
    min_tokens: int | None = None  # None: as in the dataset
    max_tokens: int | None = None
    require_mention: bool = False

    def result_parameters(self, synthesis: Synthesis) -> dict[str, Any]:
        """Return the settings that change which sentences are kept, but no answer."""
        return {
            "style": self.style,
            "num_samples": self.num_samples,
            "rare_first": self.rare_first,
            "target_sentences": self.target_sentences,
            "stop_below": self.stop_below,
            **self.length_parameters(synthesis),
            "require_mention": self.require_mention,
        }

    def length_parameters(self, synthesis: Synthesis) -> dict[str, int]:
        """Return the shortest and the longest sentence to keep, in tokens."""
        return {"min_tokens": synthesis.cleaner.min_tokens, "max_tokens": synthesis.cleaner.max_tokens}

    @property
    def gives_mentions(self) -> bool:
        """Whether new sentences must contain given mentions; a grammar makes sure of it where a model allows one."""
        return self.style in get_args(MentionStyle)

    def synthesis(self, dataset: Dataset, held_out: Sequence[Sequence[str]], *, guided: bool = False) -> Synthesis:
        """Return the synthesis for a dataset; sentences like the `held_out` ones (lists of tokens) are dropped.

        `guided`: a grammar holds the given mentions in their sentences.
        """
        style = WritingStyle.of((one.tokens for one in dataset.sentences), tokenisation=dataset.tokenisation)
        generator: Generator | Rewriter
        if self.gives_mentions:
            generator = self._rewriter(dataset, style, held_out, guided=guided)
        else:
            generator = self._generator(dataset, style)
        return Synthesis(
            dataset.sentences,
            generator,
            self._cleaner(dataset, style, generator.prompt.text),
            held_out=held_out,
            quota=self._quota(dataset),
            require_mention=self.require_mention,
        )

    def _generator(self, dataset: Dataset, style: WritingStyle) -> Generator:
        """Return the generator. Its prompts show sentences of the smallest size, which belong to all sizes."""
        language = self.language or dataset.language
        prompt, number = self.prompt or load_prompt(self.style, language), self.shots
        if number is None:
            number = DEFAULT_SHOTS if self.prompt is None or "examples" in self.prompt.placeholders else 0
        if number and self.prompt is None:
            prompt = with_examples(prompt, language)
        shots = self._shots(dataset, style, number)
        return Generator(prompt, dataset.tokenisation, self.sampling, self.max_new_tokens or MAX_NEW_TOKENS, shots)

    def _rewriter(
        self, dataset: Dataset, style: WritingStyle, held_out: Sequence[Sequence[str]], *, guided: bool
    ) -> Rewriter:
        """Return the writer of sentences with given mentions; the prompts show only the smallest size."""
        language = self.language or dataset.language
        number = DEFAULT_SHOTS if self.shots is None else self.shots
        prompt = load_prompt("rewrite", language)
        lists = None
        if self.style == "names":
            shown = smallest_size(dataset.sentences)
            names = load_prompt("names", language)
            lists = NameLists.of(names, style, self.sampling, dataset.sentences, shown=shown, held_out=held_out)
        return Rewriter(
            with_shots(prompt, language) if number else prompt,
            style,
            self.sampling,
            guided,
            self.max_new_tokens,
            self._shots(dataset, style, number),
            lists,
        )

    def _shots(self, dataset: Dataset, style: WritingStyle, number: int) -> StyleShots | None:
        pool = smallest_size(dataset.sentences)
        return StyleShots.of(pool, style.written, number=number, seed=self.sampling.seed) if number else None

    def _cleaner(self, dataset: Dataset, style: WritingStyle, prompt: str) -> Cleaner:
        shortest, longest = self.min_tokens or style.min_tokens, self.max_tokens or style.max_tokens
        if shortest > longest:
            raise ValueError(
                f"--min_tokens={shortest} is greater than --max_tokens={longest}: no sentence could be kept"
            )
        if self.gives_mentions:  # an answer is one sentence, and is not cut
            style = style.without_cuts()
        return Cleaner(
            language=dataset.language,
            writing=style,
            labels=dataset.targets,
            entities_line=entities_line(prompt),
            template=KnownTexts(template_sentences(prompt), tokenisation=dataset.tokenisation),
            shortest=shortest,
            longest=longest,
        )

    def _quota(self, dataset: Dataset) -> Quota:
        parts = [first_sentences(dataset.sentences, percent) for percent in SIZES.values()]
        rounds = self.num_samples or (MOST_ROUNDS if self.target_sentences else 1)
        weights = rare_weights(parts) if self.rare_first else {}
        return Quota(rounds, self.target_sentences, self.stop_below, weights)


def report_habits(style: WritingStyle, dataset: Dataset) -> None:
    """Log the habits of the dataset, and a warning if text is not split as the dataset's tokens are."""
    log.info("habits of the dataset: %s", style)
    accuracy = style.accuracy([one.tokens for one in dataset.sentences[:CHECKED_SENTENCES]])
    if accuracy < MIN_ACCURACY:
        log.warning(
            "warning: only %.0f %% of the dataset's sentences, written as a person would, come back as their tokens: "
            "new sentences may have other tokens than the dataset",
            100 * accuracy,
        )
