"""The settings of s1 and s3, from flags or a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.asking.sampling import SamplingSettings
from utils.dataset.modes import Mode
from utils.dataset.tokens import Language
from utils.prompts import Prompt

GREEDY = SamplingSettings()


@dataclass(frozen=True)
class AnnotationSettings:
    """What an LLM is asked to annotate, and how."""

    mode: Mode
    label_file: Path  # its labels are listed in the prompt; not used for target labels
    language: Language | None = None  # of the built-in prompt; None: that of the dataset
    prompt: Prompt | None = None  # the user's own prompt; None: the built-in one
    num_shots: int = 0  # annotated sentences that all prompts show
    num_similar_shots: int = 0  # annotated sentences that are similar to the sentence in question; target labels only
    label_guide: Path | None = None  # what the target labels mean; None: a draft from the gold spans
    is_held_out: bool = False  # the sentences are those of dev or test
    votes: int = 1  # answers to each sentence
    min_votes: int = 1  # answers that a span must be in, out of `votes`
    sampling: SamplingSettings = GREEDY
    max_new_tokens: int | None = None  # None: from the sentence's length
    closed_labels: bool = True  # guided answers use only labels of the file
