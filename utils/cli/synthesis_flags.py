"""The flags of s2: what an LLM writes, how many answers, and which sentences are kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from utils.cli.exits import UsageError
from utils.cli.llm_flags import own_prompt, prompt_language, sampling_settings
from utils.cli.parser import Parser
from utils.cli.values import count, path, positive_number, share
from utils.dataset.modes import Style
from utils.synthesis.quota import MOST_ROUNDS
from utils.synthesis.settings import SynthesisSettings
from utils.synthesis.shots import DEFAULT_SHOTS


def add_synthesis_flags(parser: Parser) -> None:
    """Add the flags that say what is written, how many answers are asked for, and which sentences are kept."""
    flags = parser.add_argument_group("synthetic sentences")
    flags.add_argument(
        "--style",
        choices=get_args(Style),
        default="explain",
        help="kind of text that the LLM is asked to write; rewrite: a sentence that must contain entities of its "
        "source; names: one that must contain new entities, which the LLM lists first",
    )
    flags.add_argument(
        "--raw",
        type=path,
        default=None,
        help="file of real sentences of your domain, one per line, or JSON Lines with a text: they are cleaned and "
        "added to the LLM's sentences; without --model_from_pretrained, only these are used",
    )
    flags.add_argument(
        "--shots",
        type=count,
        default=None,
        help="number of sentences that each prompt shows as examples of the style, from the first 25 %% of the data; "
        f"default: {DEFAULT_SHOTS}, or 0 if --prompt has no {{examples}}",
    )
    _add_quota_flags(flags)
    _add_filter_flags(flags)


def _add_quota_flags(flags: argparse._ArgumentGroup) -> None:
    """Add the flags that decide how many answers are asked for, and about which sentences."""
    flags.add_argument(
        "--num_samples",
        type=positive_number,
        default=None,
        help=f"number of answers per sentence; default: 1, or up to {MOST_ROUNDS} with --target_sentences",
    )
    flags.add_argument(
        "--rare_first",
        action="store_true",
        help="ask about sentences with rare labels first, and for up to 4 times as many answers",
    )
    flags.add_argument(
        "--target_sentences",
        type=positive_number,
        default=None,
        help="number of sentences to keep: s2 requests more answers, round by round, until it is reached",
    )
    flags.add_argument(
        "--stop_below",
        type=share,
        default=0.0,
        help="stop after a round in which less than this fraction of the n-grams (4 characters, or 2 words) is new",
    )


def _add_filter_flags(flags: argparse._ArgumentGroup) -> None:
    """Add the flags that decide which sentences are kept."""
    flags.add_argument(
        "--min_tokens",
        type=positive_number,
        default=None,
        help="minimum length of a sentence to keep; default: that of the dataset's sentences, at most 5",
    )
    flags.add_argument(
        "--max_tokens",
        type=positive_number,
        default=None,
        help="maximum length of a sentence to keep; default: that of the dataset's sentences, at least 128",
    )
    flags.add_argument(
        "--require_mention",
        action="store_true",
        help="keep only sentences that mention an entity of their source sentence",
    )
    flags.add_argument(
        "--keep_dropped", action="store_true", help="also write the dropped sentences, with reasons, to a file"
    )


# Flags that are about the answers of an LLM, and have no effect without one.
ANSWER_FLAGS = (
    "style",
    "shots",
    "num_samples",
    "rare_first",
    "target_sentences",
    "stop_below",
    "require_mention",
    "prompt",
    "limit",
    "plan",
)


def has_model(args: argparse.Namespace, parser: Parser) -> bool:
    """Return whether an LLM writes sentences; raise UsageError if neither an LLM nor raw text is given.

    Raises UsageError also for a flag that has no effect without an LLM.
    """
    if args.model_from_pretrained is not None:
        return True
    if args.raw is None:
        raise UsageError(
            "the following arguments are required: --model_from_pretrained, or --raw=FILE for real sentences alone"
        )
    for name in ANSWER_FLAGS:
        if getattr(args, name) != parser.get_default(name):
            raise UsageError(
                f"--{name} needs --model_from_pretrained: without it, only the sentences of --raw are used"
            )
    return False


def raw_files(args: argparse.Namespace) -> list[Path]:
    """Return the file of raw text, or no file; raise FileNotFoundError if it is missing."""
    if args.raw is not None and not args.raw.is_file():
        raise FileNotFoundError(
            f"--raw: {args.raw} is missing: it must be a file with one sentence per line, or JSON Lines"
        )
    return [args.raw] if args.raw else []


def synthesis_settings(args: argparse.Namespace) -> SynthesisSettings:
    """Return what is written and kept; raise UsageError for flags that cannot be used together."""
    prompt = own_prompt(args, "explain")
    if prompt and args.style != "explain":
        raise UsageError(f"--style={args.style} and --prompt both choose a prompt: use only one of them")
    if args.shots and prompt and "examples" not in prompt.placeholders:
        raise UsageError(f"--shots={args.shots}: {args.prompt} has no {{examples}} to replace with sentences")
    if args.temperature == 0 and (args.target_sentences or args.rare_first or (args.num_samples or 1) > 1):
        raise UsageError(
            "--temperature=0 gives the same answer each time: use a higher temperature to request several answers"
        )
    return SynthesisSettings(
        sampling=sampling_settings(args),
        style=args.style,
        shots=args.shots,
        language=prompt_language(args),
        prompt=prompt,
        max_new_tokens=args.max_new_tokens,
        num_samples=args.num_samples,
        rare_first=args.rare_first,
        target_sentences=args.target_sentences,
        stop_below=args.stop_below,
        min_tokens=args.min_tokens,
        max_tokens=args.max_tokens,
        require_mention=args.require_mention,
    )
