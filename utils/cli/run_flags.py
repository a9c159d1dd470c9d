"""The flags that choose the device and the engine of a script, limit its work, or estimate it."""

from __future__ import annotations

import argparse

from utils.asking.estimate import EstimateSettings
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.values import decimal, gpus, positive_decimal, positive_number
from utils.compute.engine import Engine
from utils.llm.prices import Prices

ESTIMATE_FLAGS = ("time", "tokens_per_second", "prompt_tokens_per_second")
PRICE_FLAGS = ("price_in", "price_out", "price_cached")
SERVER_FLAGS = ("max_cost", "requests_per_minute", "tokens_per_minute")
# Flags that a repetition of a run does not need: those of the dataset, which are known, and those of one run alone.
UNREPEATED_FLAGS = ("file_dir", "file_name", "save_type_name", "debug", "overwrite", "skip", "limit", "plan", "time")


class DefaultNumber(int):
    """The default of a flag, which differs from the same number that a user gives."""


def add_device_flags(parser: Parser, *, batch_size: int, on_gpu: str = "") -> None:
    """Add the flags for the device and the batch size; `on_gpu` says what happens there without a batch size."""
    flags = parser.add_argument_group("device")
    flags.add_argument(
        "--n_gpu", type=gpus, default="0", help="index of the GPU, or a list such as 0,1; -1: use the CPU"
    )
    flags.add_argument(
        "--batch_size",
        type=positive_number,
        default=DefaultNumber(batch_size),
        help=f"number of prompts or sentences in a batch{on_gpu}",
    )


def add_engine_flags(parser: Parser, *, local_workers: str = "") -> None:
    """Add the flags that choose the processes for the work; `local_workers` says what they do without Ray."""
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
        "lists; default: as many as the cluster's GPUs allow, or one per machine"
        + (f"; with --engine=local: number of processes that {local_workers}; default: 1" if local_workers else ""),
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
    flags.add_argument("--price_in", type=decimal, default=None, help="price of a million prompt tokens")
    flags.add_argument("--price_out", type=decimal, default=None, help="price of a million answer tokens")
    flags.add_argument(
        "--price_cached",
        type=decimal,
        default=None,
        help="price of a million prompt tokens in the server's cache; default: --price_in",
    )


def add_server_limit_flags(parser: Parser) -> None:
    """Add the flags that limit the requests to a server."""
    flags = parser.add_argument_group("limits of a server (--api_base)")
    flags.add_argument(
        "--max_cost",
        type=positive_decimal,
        default=None,
        help="end the run before its answers cost more than this",
    )
    flags.add_argument("--requests_per_minute", type=positive_number, default=None, help="maximum number of requests")
    flags.add_argument(
        "--tokens_per_minute",
        type=positive_number,
        default=None,
        help="maximum number of tokens, of prompts and answers together",
    )


def repeatable_flags(args: argparse.Namespace) -> list[str]:
    """Return the given flags that continue or repeat a run, one word each, without passwords in addresses."""
    joined: list[str] = []
    for word in args.command_line:
        if word.startswith("--") or not joined:
            joined.append(word)
        else:  # the value of the flag before it
            joined[-1] += f"={word}"
    names = (word.removeprefix("--").partition("=")[0] for word in joined)
    return [word for word, name in zip(joined, names, strict=True) if name not in UNREPEATED_FLAGS and "@" not in word]


def prices(args: argparse.Namespace) -> Prices | None:
    """Return the prices of tokens; None if no price is given. Raise UsageError for a price that cannot be used."""
    given = [name for name in PRICE_FLAGS if getattr(args, name) is not None]
    if given and not (args.plan or args.api_base or args.batch):
        raise UsageError(f"--{given[0]} needs --plan, or --api_base and its last line with the cost")
    if args.price_cached is not None and args.price_in is None:
        raise UsageError("--price_cached needs --price_in, the price of the other prompt tokens")
    return Prices(args.price_in or 0.0, args.price_out or 0.0, args.price_cached) if given else None


def check_server_limits(args: argparse.Namespace) -> None:
    """Raise UsageError for limits that cannot be kept."""
    given = [name for name in SERVER_FLAGS if getattr(args, name) is not None]
    without_server = [name for name in given if not (args.api_base or (args.batch and name == "max_cost"))]
    if without_server:
        raise UsageError(f"--{without_server[0]} needs --api_base: it is for models on a server")
    if given and args.engine != "local":
        raise UsageError(f"--{given[0]} needs --engine=local: several workers would each use the whole limit")
    if args.max_cost is not None and not (args.price_in or args.price_out):
        raise UsageError("--max_cost needs --price_in and --price_out, the prices of a million tokens")


def engine(args: argparse.Namespace, *, local_workers: bool = False) -> Engine:
    """Return where the work is done; raise UsageError for several processes without Ray, unless the step uses them."""
    if args.num_workers and args.engine == "local" and not local_workers:
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
        prices=prices(args),
    )
