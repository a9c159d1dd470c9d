"""The flags that choose the device and the engine of a script, limit its work, or estimate it."""

from __future__ import annotations

import argparse

from utils.asking.estimate import EstimateSettings
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.values import decimal, gpus, positive_decimal, positive_number
from utils.compute.engine import Engine

ESTIMATE_FLAGS = ("time", "tokens_per_second", "prompt_tokens_per_second", "price_in", "price_out")


def add_device_flags(parser: Parser, *, batch_size: int) -> None:
    """Add the flags for the device and the batch size."""
    flags = parser.add_argument_group("device")
    flags.add_argument(
        "--n_gpu", type=gpus, default="0", help="index of the GPU, or a list such as 0,1; -1: use the CPU"
    )
    flags.add_argument(
        "--batch_size", type=positive_number, default=batch_size, help="number of prompts or sentences in a batch"
    )


def add_engine_flags(parser: Parser) -> None:
    """Add the flags that choose the processes for the work."""
    flags = parser.add_argument_group("engine")
    flags.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="local: use this process; ray: use workers of the Ray cluster at RAY_ADDRESS, or of this machine",
    )
    flags.add_argument(
        "--num_workers",
        type=positive_number,
        default=None,
        help="with --engine=ray: number of workers; each loads a copy of the model onto as many GPUs as --n_gpu "
        "lists; default: as many as the cluster's GPUs allow, or one per machine",
    )


def add_estimate_flags(parser: Parser) -> None:
    """Add the flags that limit a run, or estimate it instead."""
    flags = parser.add_argument_group("limit and estimate")
    flags.add_argument(
        "--limit",
        type=positive_number,
        default=None,
        help="maximum number of sentences to ask about, starting with the first; default: all",
    )
    flags.add_argument(
        "--plan", action="store_true", help="do not run the step; estimate its questions, tokens, time and cost"
    )
    flags.add_argument(
        "--time",
        type=positive_number,
        default=None,
        help="with --plan: number of questions to ask before estimating, to measure the speed; their answers are kept",
    )
    flags.add_argument(
        "--tokens_per_second",
        type=positive_decimal,
        default=None,
        help="with --plan: speed of the model, in answer tokens per second over all parallel answers",
    )
    flags.add_argument(
        "--prompt_tokens_per_second",
        type=positive_decimal,
        default=None,
        help="with --tokens_per_second: speed at which the model reads prompts; without it, that time is not counted",
    )
    flags.add_argument("--price_in", type=decimal, default=None, help="with --plan: price of a million prompt tokens")
    flags.add_argument("--price_out", type=decimal, default=None, help="with --plan: price of a million answer tokens")


def engine(args: argparse.Namespace) -> Engine:
    """Return where the work is done."""
    if args.num_workers and args.engine == "local":
        raise UsageError("--num_workers needs --engine=ray; --engine=local uses this process alone")
    return Engine(args.engine, args.num_workers, len(args.n_gpu))


def estimate_settings(args: argparse.Namespace) -> EstimateSettings | None:
    """Return the settings of an estimate; None without --plan. Raise UsageError for flags that need --plan."""
    given = [name for name in ESTIMATE_FLAGS if getattr(args, name) is not None]
    if given and not args.plan:
        raise UsageError(f"--{given[0]} needs --plan")
    if args.prompt_tokens_per_second and not args.tokens_per_second:
        raise UsageError("--prompt_tokens_per_second needs --tokens_per_second, the speed of the answers")
    if args.time and args.overwrite:
        raise UsageError(
            "--time keeps the recorded answers, but --overwrite moves them to a .bak file: use only one of the two"
        )
    if not args.plan:
        return None
    return EstimateSettings(
        questions_to_ask=args.time or 0,
        tokens_per_second=args.tokens_per_second,
        prompt_tokens_per_second=args.prompt_tokens_per_second,
        price_in=args.price_in,
        price_out=args.price_out,
    )
