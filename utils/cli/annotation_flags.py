"""The flags of s1 and s3: what an LLM annotates, and how its answers are used."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from utils.annotation.settings import AnnotationSettings
from utils.asking.model import ModelChoice
from utils.asking.sampling import SamplingSettings
from utils.cli.exits import UsageError
from utils.cli.llm_flags import add_prompt_flags, add_sampling_flags, own_prompt, prompt_language
from utils.cli.merge_flags import add_label_file_flags
from utils.cli.parser import Parser
from utils.cli.values import auto_switch, count, positive_number, switch, whole_number
from utils.dataset.modes import MODES

log = logging.getLogger(__name__)

VOTING_TEMPERATURE = 0.7  # the default with --votes: greedy decoding gives the same answer each time


def add_annotation_flags(parser: Parser) -> None:
    """Add the flags of s1 and s3."""
    flags = parser.add_argument_group("annotation")
    flags.add_argument(
        "--mode", choices=MODES, default="entity", help="entity: annotate entities; pos: annotate parts of speech"
    )
    flags.add_argument(
        "--skip",
        type=whole_number,
        default=-1,
        help="number of sentences to skip at the start: this run does not ask about them; -1: skip none",
    )
    flags.add_argument(
        "--shots",
        type=count,
        default=0,
        help="number of annotated sentences to show as examples in each prompt; they come from the smallest size",
    )
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
        help="1: constrain answers with a grammar, 0: do not; auto: constrain them if the model or server supports it",
    )
    flags.add_argument(
        "--closed_labels",
        type=switch,
        nargs="?",
        const=True,
        default="1",
        help="1: guided answers use only labels of the label file, 0: any label of at most 20 characters",
    )
    add_label_file_flags(parser)
    add_prompt_flags(parser)
    add_sampling_flags(parser, temperature=None, auto=f"0, or {VOTING_TEMPERATURE} with --votes")


def annotation_settings(args: argparse.Namespace) -> AnnotationSettings:
    """Return what is annotated, and how; raise UsageError for flags that cannot be used together."""
    prompt = own_prompt(args, args.mode)
    if args.shots and prompt and "examples" not in prompt.placeholders:
        raise UsageError(
            f"--shots={args.shots}: {args.prompt} has no placeholder {{examples}}, where the examples are inserted"
        )
    sampling = _sampling(args)
    return AnnotationSettings(
        mode=args.mode,
        label_file=label_file(args),
        language=prompt_language(args),
        prompt=prompt,
        num_shots=args.shots,
        votes=args.votes,
        min_votes=_min_votes(args, sampling),
        sampling=sampling,
        max_new_tokens=args.max_new_tokens,
        closed_labels=args.closed_labels,
    )


def is_guided(args: argparse.Namespace, model: ModelChoice) -> bool:
    """Return whether answers are constrained by a grammar; raise UsageError for --guided=1 if they cannot be.

    This may load a checkpoint's tokenizer or ask a server, so call it after all cheaper checks.
    """
    if args.guided is False:
        return False
    can_be_guided = model.can_be_guided()
    if args.guided and not can_be_guided:
        name = f"the server {args.api_base}" if args.api_base else f"{model.path} ({model.backend})"
        raise UsageError(
            f"--guided=1: {name} cannot constrain answers with a grammar: omit the flag, or use a .gguf file or "
            "another checkpoint"
        )
    if args.api_base and not can_be_guided:
        log.info("%s does not support grammars: answers are not constrained", args.api_base)
    return can_be_guided


def label_file(args: argparse.Namespace) -> Path:
    """Return the file that contains the labels of --mode."""
    return args.entity_label if args.mode == "entity" else args.pos_label


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
