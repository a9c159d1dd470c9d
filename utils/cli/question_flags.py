"""The flags that say what an LLM is asked, and how it draws its answers (s1, s2, s3)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import get_args

from utils.annotation.annotator import Annotator, PromptSettings
from utils.annotation.voting import Voting
from utils.asking.sampling import SamplingSettings
from utils.cli.flags import add_label_flags, is_guided
from utils.cli.script import (
    Parser,
    UsageError,
    auto_switch,
    count,
    decimal,
    path,
    positive_number,
    share,
    switch,
    whole_number,
)
from utils.dataset.layout import SIZES
from utils.dataset.modes import MODES, Task
from utils.dataset.reading import Dataset
from utils.dataset.splits import first_sentences
from utils.dataset.tokens import Language
from utils.labels.normaliser import LabelNormaliser
from utils.prompts import Prompt, read_prompt

VOTERS_TEMPERATURE = 0.7  # where several answers are asked for and no temperature is given


def add_annotation_flags(parser: Parser) -> None:
    """Add the flags of s1 and s3."""
    flags = parser.add_argument_group("annotation")
    flags.add_argument("--mode", choices=MODES, default="entity", help="what to mark")
    flags.add_argument(
        "--skip",
        type=whole_number,
        default=-1,
        help="how many already processed sentences to pass over; -1: ask for all that the journal lacks",
    )
    flags.add_argument(
        "--shots", type=count, default=0, help="annotated sentences that each prompt shows, from the smallest size"
    )
    flags.add_argument(
        "--votes", type=positive_number, default=1, help="answers that each sentence is asked for; spans are voted on"
    )
    flags.add_argument(
        "--min_votes", type=positive_number, default=None, help="answers that must mark a span; default: a majority"
    )
    flags.add_argument(
        "--guided",
        type=auto_switch,
        default="auto",
        help="1: hold answers to a grammar, 0: do not; auto: where the model, or the server, can be held to one",
    )
    flags.add_argument(
        "--closed_labels",
        type=switch,
        nargs="?",
        const=True,
        default="1",
        help="1: a guided answer takes its labels from the label file, 0: they are the model's own, at most "
        "20 characters long",
    )
    add_label_flags(parser)
    add_prompt_flags(parser)
    add_sampling_flags(parser, temperature=None)


def add_prompt_flags(parser: Parser) -> None:
    """Add the flags that say how an LLM is spoken to."""
    flags = parser.add_argument_group("prompt")
    flags.add_argument(
        "--lang",
        choices=("auto", *get_args(Language)),
        default="auto",
        help="language of the prompt; auto: told from the data's script, en for what is none of the others",
    )
    flags.add_argument("--prompt", type=path, default=None, help="a prompt of your own: a file with {sentence} in it")


def add_sampling_flags(parser: Parser, *, temperature: float | None) -> None:
    """Add the flags that say how answers are drawn."""
    flags = parser.add_argument_group("sampling")
    auto = f"; default: 0, with --votes {VOTERS_TEMPERATURE}" if temperature is None else ""
    flags.add_argument(
        "--temperature", type=decimal, default=temperature, help=f"0: the likeliest word each time{auto}"
    )
    flags.add_argument("--top_p", type=share, default=0.9, help="draw from the likeliest words of this probability")
    flags.add_argument("--seed", type=whole_number, default=42, help="each sentence draws from a seed of its own")


def annotator(args: argparse.Namespace, dataset: Dataset) -> Annotator:
    """Return the annotator that the flags of s1 and s3 describe."""
    built = Annotator.for_dataset(args.mode, dataset, label_file(args), prompt_settings(args, dataset))
    return replace(
        built,
        max_new_tokens=args.max_new_tokens,
        sampling=sampling_settings(args),
        voting=voting(args),
        closed_labels=args.closed_labels,
        guided=is_guided(args),  # last, because it may load a tokenizer: errors in other flags come first
    )


def prompt_settings(args: argparse.Namespace, dataset: Dataset) -> PromptSettings:
    """Return how s1 and s3 word their questions; raise ValueError for a prompt that cannot be used.

    What a prompt shows comes from the smallest size, which all the others hold: no size learns from outside itself.
    """
    prompt = own_prompt(args, args.mode)
    if args.shots and prompt and "examples" not in prompt.placeholders:
        raise UsageError(f"--shots={args.shots}: {args.prompt} has no {{examples}} where they could go")
    pool = first_sentences(dataset.sentences, min(SIZES.values()))
    return PromptSettings(prompt_language(args, dataset), prompt, args.shots, pool, args.seed)


def own_prompt(args: argparse.Namespace, task: Task) -> Prompt | None:
    """Return the prompt of --prompt; raise ValueError where it cannot be one for the task."""
    return read_prompt(args.prompt, task) if args.prompt else None


def prompt_language(args: argparse.Namespace, dataset: Dataset) -> Language:
    """Return the language that the LLM is spoken to in."""
    return dataset.language if args.lang == "auto" else args.lang


def sampling_settings(args: argparse.Namespace) -> SamplingSettings:
    """Return how the flags say that answers are drawn; several answers to one question are not all the likeliest."""
    temperature = args.temperature
    if temperature is None:
        temperature = VOTERS_TEMPERATURE if args.votes > 1 else 0.0
    return SamplingSettings(temperature, args.top_p, args.seed)


def voting(args: argparse.Namespace) -> Voting | None:
    """Return how the answers to one question vote; None where there is one. Raises UsageError for votes that cannot be.

    A majority is more than half of the answers.
    """
    needed = args.votes // 2 + 1 if args.min_votes is None else args.min_votes
    if needed > args.votes:
        raise UsageError(f"--min_votes={needed}: no span can have more votes than --votes={args.votes}")
    if args.votes == 1:
        return None
    if not sampling_settings(args).temperature:
        raise UsageError(f"--votes={args.votes}: at --temperature=0 all answers are the same; give a higher one")
    return Voting(args.votes, needed, LabelNormaliser.from_files([label_file(args)]))


def label_file(args: argparse.Namespace) -> Path:
    """Return the file whose labels an annotation with --mode uses."""
    return args.entity_label if args.mode == "entity" else args.pos_label
