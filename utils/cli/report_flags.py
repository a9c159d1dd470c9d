"""The flags of the page and of the pictures of report.py."""

from __future__ import annotations

import argparse
from argparse import ArgumentTypeError
from pathlib import Path

from utils.audit.html.page import LANGUAGES
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.values import decimal, new_path, switch
from utils.llm.prices import Prices

DEFAULT_PATH = Path()  # a flag without a value: the path then depends on the dataset
PRICE_FLAGS = ("price_in", "price_out")


def add_html_flags(parser: Parser) -> None:
    """Add the flags of the page and of the pictures."""
    flags = parser.add_argument_group("page")
    flags.add_argument(
        "--html",
        type=_path_or_switch,
        nargs="?",
        const=DEFAULT_PATH,
        default=None,
        help="write a page to look at and to correct the sentences; its path, or nothing for report.html beside the "
        "results",
    )
    flags.add_argument(
        "--lang",
        choices=LANGUAGES,
        default="en",
        help="language of the page and of the pictures; the page can change it",
    )
    flags.add_argument(
        "--pictures",
        type=_path_or_switch,
        nargs="?",
        const=DEFAULT_PATH,
        default=None,
        help="write the charts as SVG and PNG files; their folder, or nothing for pictures/ beside the results",
    )
    flags.add_argument("--price_in", type=decimal, default=None, help="with --html: price of a million prompt tokens")
    flags.add_argument("--price_out", type=decimal, default=None, help="with --html: price of a million answer tokens")


def path_or_default(given: Path | None, default: Path) -> Path | None:
    """Return a path of the user, the default for a flag without a value, or None without the flag."""
    return default if given == DEFAULT_PATH else given


def prices(args: argparse.Namespace) -> Prices | None:
    """Return the prices of tokens; None if no price is given. Raise UsageError for a price without --html."""
    given = [name for name in PRICE_FLAGS if getattr(args, name) is not None]
    if given and args.html is None:
        raise UsageError(f"--{given[0]} needs --html")
    return Prices(args.price_in or 0.0, args.price_out or 0.0) if given else None


def _path_or_switch(text: str) -> Path | None:
    """Read the path of a file or folder to write; 1, as from a notebook, is the default path, and 0 is none."""
    try:
        return DEFAULT_PATH if switch(text) else None
    except ArgumentTypeError:
        return new_path(text)
