"""The flags of s2, and the objects that they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, get_args

from utils.cli import question_flags
from utils.cli.script import Parser, UsageError, positive_number, share
from utils.dataset.layout import SIZES
from utils.dataset.reading import Dataset
from utils.dataset.splits import first_sentences
from utils.synthesis.cleaning import Cleaner, entities_line, template_sentences
from utils.synthesis.generator import MAX_NEW_TOKENS, Generator, PromptStyle, style_prompt
from utils.synthesis.near_duplicates import KnownTexts
from utils.synthesis.quota import MOST_ROUNDS, Quota, rare_weights
from utils.synthesis.rounds import Synthesis
from utils.synthesis.writing_style import WritingStyle


def add_synthesis_flags(parser: Parser) -> None:
    """Add the flags that say what is asked for, how many answers, and what is kept of them."""
    group = parser.add_argument_group("new sentences")
    group.add_argument(
        "--style", choices=get_args(PromptStyle), default="explain", help="what the LLM is asked to write"
    )
    group.add_argument(
        "--num_samples",
        type=positive_number,
        default=None,
        help=f"answers for each sentence, a seed each; default: 1, or at most {MOST_ROUNDS} with --target_sentences",
    )
    group.add_argument("--rare_first", action="store_true", help="up to 4 times as many for sentences with rare labels")
    group.add_argument(
        "--target_sentences",
        type=positive_number,
        default=None,
        help="ask on, round after round, until so many are kept",
    )
    group.add_argument(
        "--stop_below",
        type=share,
        default=0.0,
        help="ask no further where a smaller share of a round's spans (4 characters, 2 words) is new",
    )
    group.add_argument("--min_tokens", type=positive_number, default=5, help="shortest sentence to keep")
    group.add_argument("--max_tokens", type=positive_number, default=128, help="longest sentence to keep")
    group.add_argument("--require_mention", action="store_true", help="keep only what names an entity of its source")
    group.add_argument("--keep_dropped", action="store_true", help="write what is dropped, with reasons, to a file")


def synthesis(args: argparse.Namespace, dataset: Dataset, held_out: Sequence[Sequence[str]]) -> Synthesis:
    """Return how new sentences are made of a dataset; those like the `held_out` texts are not taken."""
    generator = _generator(args, dataset)
    return Synthesis(
        dataset.sentences,
        generator,
        _cleaner(args, dataset, generator.prompt.text),
        held_out=held_out,
        quota=_quota(args, dataset),
        require_mention=args.require_mention,
    )


def result_parameters(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that change which sentences are kept, and no answer."""
    names = (
        "num_samples",
        "rare_first",
        "target_sentences",
        "stop_below",
        "min_tokens",
        "max_tokens",
        "require_mention",
    )
    return {"style": args.style, **{name: getattr(args, name) for name in names}}


def _generator(args: argparse.Namespace, dataset: Dataset) -> Generator:
    own = question_flags.own_prompt(args, "explain")
    if own and args.style != "explain":
        raise UsageError(f"--style={args.style} names a prompt, and so does --prompt; give one of them")
    prompt = own or style_prompt(args.style, question_flags.prompt_language(args, dataset))
    return Generator(
        prompt, dataset.tokenisation, question_flags.sampling_settings(args), args.max_new_tokens or MAX_NEW_TOKENS
    )


def _cleaner(args: argparse.Namespace, dataset: Dataset, prompt: str) -> Cleaner:
    if args.min_tokens > args.max_tokens:
        raise UsageError(
            f"--min_tokens={args.min_tokens} is above --max_tokens={args.max_tokens}: nothing would be kept"
        )
    return Cleaner(
        language=dataset.language,
        writing=WritingStyle.of((sentence.tokens for sentence in dataset.sentences), tokenisation=dataset.tokenisation),
        labels=dataset.targets,
        entities_line=entities_line(prompt),
        template=KnownTexts(template_sentences(prompt), tokenisation=dataset.tokenisation),
        shortest=args.min_tokens,
        longest=args.max_tokens,
    )


def _quota(args: argparse.Namespace, dataset: Dataset) -> Quota:
    if args.temperature == 0 and (args.target_sentences or args.rare_first or (args.num_samples or 1) > 1):
        raise UsageError("--temperature=0 gives the same answer each time: nothing to ask for twice")
    parts = [first_sentences(dataset.sentences, percent) for percent in SIZES.values()]
    rounds = args.num_samples or (MOST_ROUNDS if args.target_sentences else 1)
    weights = rare_weights(parts) if args.rare_first else {}
    return Quota(rounds, args.target_sentences, args.stop_below, weights)
