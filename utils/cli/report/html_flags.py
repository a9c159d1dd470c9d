"""The flags of the page and of the pictures of report.py."""

from __future__ import annotations

import argparse
from pathlib import Path

from utils.audit.html.page import LANGUAGES, PageLanguage
from utils.audit.html.runs import Prices
from utils.cli.exits import UsageError
from utils.cli.parser import Parser
from utils.cli.values import decimal, new_path

YES, NO = ("1", "true", "yes"), ("0", "false", "no")
HERE = Path()  # stands for the default path, which depends on the dataset
NEED_HTML = ("price_in", "price_out")


def add_html_flags(parser: Parser) -> None:
    """Add the flags of the page and of the pictures."""
    flags = parser.add_argument_group("page")
    flags.add_argument(
        "--html",
        type=_place,
        nargs="?",
        const=HERE,
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
        type=_place,
        nargs="?",
        const=HERE,
        default=None,
        help="write the charts as SVG and PNG files; their folder, or nothing for pictures/ beside the results",
    )
    flags.add_argument("--price_in", type=decimal, default=None, help="with --html: price of a million prompt tokens")
    flags.add_argument("--price_out", type=decimal, default=None, help="with --html: price of a million answer tokens")


def place_or(given: Path | None, default: Path) -> Path | None:
    """Return a path of the user, the default for a flag without a value, or None without the flag."""
    return default if given == HERE else given


def language(args: argparse.Namespace) -> PageLanguage:
    return next(one for one in LANGUAGES if one == args.lang)


def prices(args: argparse.Namespace) -> Prices:
    """Return the prices of tokens; raise UsageError if they are given without --html."""
    given = [name for name in NEED_HTML if getattr(args, name) is not None]
    if given and args.html is None:
        raise UsageError(f"--{given[0]} needs --html")
    return Prices(args.price_in, args.price_out)


def _place(text: str) -> Path | None:
    """Read the path of a file or folder to write; 1 is the default one, as from a notebook, and 0 is none."""
    word = text.strip().lower()
    if word in NO:
        return None
    return HERE if word in YES else new_path(text)
