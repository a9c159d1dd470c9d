"""The flags of s1 and s3: what an LLM annotates, and how its answers are used."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import get_args

from utils.annotation.settings import AnnotationSettings
from utils.asking.sampling import SamplingSettings
from utils.cli.exits import UsageError
from utils.cli.llm_flags import add_prompt_flags, add_sampling_flags, own_prompt, prompt_language
from utils.cli.merge_flags import add_label_file_flags
from utils.cli.parser import Parser
from utils.cli.values import auto_switch, count, path, positive_number, switch, whole_number
from utils.dataset.layout import HeldOut
from utils.dataset.modes import MODES
from utils.prompts import Prompt

log = logging.getLogger(__name__)

SIMILAR_SHOTS = 6  # the default with --mode=target
VOTING_TEMPERATURE = 0.7  # the default with --votes: greedy decoding gives the same answer each time


def add_annotation_flags(parser: Parser) -> None:
    """Add the flags of s1 and s3."""
    flags = parser.add_argument_group("annotation")
    flags.add_argument(
        "--mode",
        choices=MODES,
        default="entity",
        help="entity: annotate entities; pos: annotate parts of speech; target: annotate the labels of the dataset",
    )
    flags.add_argument(
        "--skip",
        type=whole_number,
        default=-1,
        help="number of sentences to skip at the start: this run does not ask about them; -1: skip none",
    )
    _add_example_flags(flags)
    _add_answer_flags(flags)
    add_label_file_flags(parser)
    add_prompt_flags(parser)
    add_sampling_flags(parser, temperature=None, auto=f"0, or {VOTING_TEMPERATURE} with --votes")


def _add_example_flags(flags: argparse._ArgumentGroup) -> None:
    """Add the flags of what each prompt shows: annotated sentences, and what the labels mean."""
    flags.add_argument(
        "--shots",
        type=count,
        default=0,
        help="number of annotated sentences to show as examples in each prompt; they come from the smallest size",
    )
    flags.add_argument(
        "--similar_shots",
        type=count,
        default=None,
        help="with --mode=target: number of annotated sentences to show as examples in each prompt, those that are "
        f"most similar to the sentence in question; default: {SIMILAR_SHOTS}",
    )
    flags.add_argument(
        "--label_guide",
        type=path,
        default=None,
        help="with --mode=target: JSON file with a definition and examples of each label, for the prompt; default: the "
        "most frequent mentions of each label in the smallest size",
    )


def _add_answer_flags(flags: argparse._ArgumentGroup) -> None:
    """Add the flags of the answers: their number, and the grammar that holds them."""
    flags.add_argument(
        "--votes",
        type=positive_number,
        default=1,
        help="number of answers to request per sentence; with more than 1, spans are kept by majority vote",
    )
    flags.add_argument(
        "--min_votes",
        type=positive_number,
        default=None,
        help="minimum number of answers that must contain a span for it to be kept; default: more than half of --votes",
    )
    flags.add_argument(
        "--guided",
        type=auto_switch,
        default="auto",
        help="1: constrain answers with a grammar, 0: do not; auto: constrain them with a grammar or, on a server that "
        "has none, with a JSON schema or as JSON, if it supports that",
    )
    flags.add_argument(
        "--closed_labels",
        type=switch,
        nargs="?",
        const=True,
        default="1",
        help="1: guided answers use only labels of the label file, 0: any label of at most 20 characters",
    )


def add_split_flag(parser: Parser) -> None:
    """Add the flag that chooses the sentences that s1 annotates."""
    parser.add_argument(
        "--split",
        choices=("train", *get_args(HeldOut)),
        default="train",
        help="with --mode=target: dev or test annotates these sentences instead, only to measure the LLM; no other "
        "step reads the result",
    )


def held_out_split(args: argparse.Namespace) -> HeldOut | None:
    """Return the held-out sentences to annotate; None: the training sentences."""
    if args.split == "train":
        return None
    if args.mode != "target":
        raise UsageError(f"--split={args.split} needs --mode=target: only target labels have gold labels to compare")
    split: HeldOut = args.split
    return split


def annotation_settings(args: argparse.Namespace) -> AnnotationSettings:
    """Return what is annotated, and how; raise UsageError for flags that cannot be used together."""
    prompt = own_prompt(args, args.mode)
    _check_target_flags(args)
    _check_placeholder(args, prompt, "shots", "examples")
    _check_placeholder(args, prompt, "similar_shots", "examples")
    _check_placeholder(args, prompt, "label_guide", "guide")
    sampling = _sampling(args)
    return AnnotationSettings(
        mode=args.mode,
        label_file=label_file(args),
        language=prompt_language(args),
        prompt=prompt,
        num_shots=args.shots,
        num_similar_shots=_num_similar_shots(args, prompt),
        label_guide=args.label_guide,
        is_held_out=getattr(args, "split", "train") != "train",
        votes=args.votes,
        min_votes=_min_votes(args, sampling),
        sampling=sampling,
        max_new_tokens=args.max_new_tokens,
        closed_labels=args.closed_labels,
    )


def label_file(args: argparse.Namespace) -> Path:
    """Return the file that contains the labels of --mode."""
    return args.entity_label if args.mode == "entity" else args.pos_label


def _check_target_flags(args: argparse.Namespace) -> None:
    """Raise UsageError for flags that do not belong to the mode."""
    if args.mode == "target":
        if not args.closed_labels:
            raise UsageError("--closed_labels=0: with --mode=target, the only labels are those of the dataset")
        return
    for name in ("similar_shots", "label_guide"):
        if (value := getattr(args, name)) is not None:
            raise UsageError(f"--{name}={value} needs --mode=target")


def _check_placeholder(args: argparse.Namespace, prompt: Prompt | None, name: str, placeholder: str) -> None:
    """Raise UsageError if the user's prompt has no placeholder for what a flag inserts."""
    value = getattr(args, name)
    is_missing = prompt and placeholder not in prompt.placeholders
    if value and prompt and is_missing and not (placeholder == "examples" and prompt.shows_examples):
        what = "the examples are" if placeholder == "examples" else "the guide is"
        raise UsageError(f"--{name}={value}: {args.prompt} has no placeholder {{{placeholder}}}, where {what} inserted")


def _num_similar_shots(args: argparse.Namespace, prompt: Prompt | None) -> int:
    """Return the number of similar shots; by default, none if the user's prompt shows no examples."""
    if args.similar_shots is not None or args.mode != "target":
        return args.similar_shots or 0
    return SIMILAR_SHOTS if prompt is None or prompt.shows_examples else 0


def _sampling(args: argparse.Namespace) -> SamplingSettings:
    temperature = args.temperature
    if temperature is None:
        temperature = VOTING_TEMPERATURE if args.votes > 1 else 0.0
    if not temperature and args.top_p != SamplingSettings.top_p:
        log.info("--top_p=%g has no effect: answers are greedy unless --temperature is above 0", args.top_p)
    return SamplingSettings(temperature, args.top_p, args.seed)


def _min_votes(args: argparse.Namespace, sampling: SamplingSettings) -> int:
    """Return the number of answers that a span must be in; raise UsageError for votes that make no sense."""
    min_votes = args.votes // 2 + 1 if args.min_votes is None else args.min_votes
    if min_votes > args.votes:
        raise UsageError(f"--min_votes={min_votes} is greater than --votes={args.votes}: no span could be kept")
    if args.votes > 1 and not sampling.temperature:
        raise UsageError(f"--votes={args.votes}: at --temperature=0 all answers are equal; use a higher temperature")
    return min_votes
