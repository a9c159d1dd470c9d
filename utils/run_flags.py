"""The flags that say where a run does its work, and the object that they stand for."""

from __future__ import annotations

import argparse

from utils.cli import Parser, UsageError, positive_number
from utils.engine import Engine


def add_engine_flags(parser: Parser) -> None:
    """Add the flags that say in which processes the work is done."""
    flags = parser.add_argument_group("engine")
    flags.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="local: this process; ray: workers in the cluster of RAY_ADDRESS, or on this machine",
    )
    flags.add_argument(
        "--num_workers",
        type=positive_number,
        default=None,
        help="workers (ray), each with a model of its own and as many GPUs as --n_gpu names; default: as many as the "
        "cluster has GPUs for, or one a machine",
    )


def engine(args: argparse.Namespace) -> Engine:
    """Return where the work is done."""
    if args.num_workers and args.engine == "local":
        raise UsageError("--num_workers is for --engine=ray; this process is one worker")
    return Engine(args.engine, args.num_workers, len(args.n_gpu))
