"""The flags that say where a run does its work and how far it goes, and what they stand for."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from utils.asking.estimate import EstimateSettings, estimate_step
from utils.asking.questions import Question
from utils.asking.step import LLMStep
from utils.cli.script import Parser, UsageError, decimal, positive_number
from utils.compute.engine import Engine

log = logging.getLogger(__name__)

PLAN_FLAGS = ("time", "tokens_per_second", "price_in", "price_out")


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


def add_plan_flags(parser: Parser) -> None:
    """Add the flags that say how far a run goes, and what it would take."""
    flags = parser.add_argument_group("plan")
    flags.add_argument(
        "--limit", type=positive_number, default=None, help="ask about so many sentences, the first ones"
    )
    flags.add_argument(
        "--plan", action="store_true", help="only say what the run would take: questions, tokens, time, cost"
    )
    flags.add_argument(
        "--time",
        type=positive_number,
        default=None,
        help="with --plan: ask so many questions first, and measure; their answers are kept",
    )
    flags.add_argument(
        "--tokens_per_second", type=decimal, default=None, help="with --plan: how fast the model answers, in all"
    )
    flags.add_argument("--price_in", type=decimal, default=None, help="with --plan: of a million tokens of prompts")
    flags.add_argument("--price_out", type=decimal, default=None, help="with --plan: of a million tokens of answers")


def estimate_settings(args: argparse.Namespace) -> EstimateSettings | None:
    """Return what a plan is made with; None where the step is to be run. Raises UsageError for flags without a plan."""
    given = [name for name in PLAN_FLAGS if getattr(args, name) is not None]
    if given and not args.plan:
        raise UsageError(f"--{given[0]} is for --plan")
    if args.time and args.overwrite:
        raise UsageError("--time keeps its answers, which --overwrite would set aside: give one of the two")
    return (
        EstimateSettings(args.time or 0, args.tokens_per_second, args.price_in, args.price_out) if args.plan else None
    )


def report_estimate(step: LLMStep, questions: Sequence[Question], settings: EstimateSettings) -> None:
    """Log what a step will take."""
    log.info("estimate for %s:", step.result)
    for line in estimate_step(step, questions, settings).lines():
        log.info("  %s", line)


def engine(args: argparse.Namespace) -> Engine:
    """Return where the work is done."""
    if args.num_workers and args.engine == "local":
        raise UsageError("--num_workers is for --engine=ray; this process is one worker")
    return Engine(args.engine, args.num_workers, len(args.n_gpu))
