"""The command line that all scripts share: flags, the notebook form, messages and exit codes."""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from utils import __version__
from utils.cli.exits import UsageError, end_with, open_missing_streams
from utils.dataset.layout import ROOT
from utils.dataset.tokens import Tokenisation

log = logging.getLogger(__name__)

Run = Callable[[argparse.Namespace], None]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and which reads `--n_gpu= 0` as `--n_gpu=0`."""

    def __init__(self, description: str) -> None:
        super().__init__(
            description=description,
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
        self.add_argument("--version", action="version", version=f"%(prog)s {__version__}")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help lists the flags)")

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the values of command-line words; raise UsageError for words that do not fit."""
        return self.parse_args(self._join_parted_numbers(words))

    def parse_values(self, values: Mapping[str, object]) -> argparse.Namespace:
        """Return the values of keyword arguments, which pass through the same checks as flags."""
        for name in values:
            if f"--{name}" not in self._option_string_actions:
                raise UsageError(f"{name!r} is not an argument of this script (--help lists the flags)")
        words = [self._words(f"--{name}", value) for name, value in values.items() if value is not None]
        return self.parse_args([word for some in words for word in some])

    def _words(self, flag: str, value: object) -> list[str]:
        """Return what would be typed for a keyword argument; nothing for a flag without a value that is not set."""
        if self._option_string_actions[flag].nargs == 0:
            return [flag] if value else []
        if isinstance(value, (list, tuple)):  # of a flag that takes several words
            return [flag, *map(str, value)]
        return [f"{flag}={int(value) if isinstance(value, bool) else value}"]

    def _join_parted_numbers(self, words: Sequence[str]) -> list[str]:
        joined: list[str] = []
        for word in words:
            if joined and self._awaits_number(joined[-1]) and re.fullmatch(r"-?[\d.,]+(e-?\d+)?", word):
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _awaits_number(self, word: str) -> bool:
        action = self._option_string_actions.get(word[:-1]) if word.endswith("=") else None
        return action is not None and action.type in NUMBERS


class _HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keep the description as it is written, and add each flag's default."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, "") else super()._get_help_string(action)


# --- types of values


def whole_number(text: str) -> int:
    """Read a whole number of either sign."""
    if not re.fullmatch(r"-?\d+", text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def positive_number(text: str) -> int:
    """Read a whole number of at least 1."""
    if (number := whole_number(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be at least 1")
    return number


def count(text: str) -> int:
    """Read a whole number of at least 0."""
    if (number := whole_number(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be at least 0")
    return number


def decimal(text: str) -> float:
    """Read a number of at least 0."""
    if not re.fullmatch(r"(\d+\.?\d*|\.\d+)(e-?\d+)?", text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return float(text)


def share(text: str) -> float:
    """Read a number over 0, and up to 1."""
    number = decimal(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not over 0 and up to 1")
    return number


def probability(text: str) -> float:
    """Read a number over 0 and below 1."""
    number = decimal(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} does not lie between 0 and 1")
    return number


def switch(text: str) -> bool:
    """Read 0 or 1, and the words for them; anything else is refused."""
    word = text.strip().lower()
    if word not in ("0", "1", "false", "true", "no", "yes"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor 1")
    return word in ("1", "true", "yes")


def gpus(text: str) -> tuple[int, ...]:
    """Read the indices of GPUs: `0`, `0,1`, or `-1` for the CPU (no index)."""
    if not re.fullmatch(r"-1|\d+(,\d+)*", text.strip()):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a GPU's index, nor several as 0,1, nor -1")
    return tuple(int(index) for index in text.split(",") if index.strip() != "-1")


def auto_switch(text: str) -> bool | None:
    """Read `auto` as None, and 0 or 1 as a switch."""
    return None if text.strip().lower() == "auto" else switch(text)


def auto_tokenisation(text: str) -> Tokenisation | None:
    """Read `auto` as None, 1 as one character a token, and 0 as one word a token."""
    is_dense = auto_switch(text)
    return None if is_dense is None else Tokenisation(is_dense=is_dense)


def path(text: str) -> Path:
    """Read a path: relative to the working folder or, where it is not there, to the repository's root."""
    given = Path(text).expanduser()
    return given if given.is_absolute() or given.exists() else shortest(ROOT / given)


NUMBERS = (
    whole_number,
    positive_number,
    count,
    decimal,
    share,
    probability,
    switch,
    gpus,
    auto_switch,
    auto_tokenisation,
)


def shortest(full: Path) -> Path:
    """Return `full` relative to the working folder if it lies below it, for shorter messages."""
    return full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full


# --- running a script


def start(parser: Parser, run: Run, *, cmd_args: bool, values: Mapping[str, object]) -> None:
    """Run a script with its command line, or (`cmd_args=False`: in a notebook) with `values`.

    On the command line an error ends the process with one line and an exit code (`utils/cli/exits.py`). In a notebook
    it is raised.
    """
    # OpenMP threads (torch, llama.cpp) wait in a spin: on a core that they must share, a long one costs tenfold.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    # transformers tells at length of weights that a span model or an old checkpoint does without.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if cmd_args:
        open_missing_streams()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    if cmd_args:
        end_with(lambda: run(parser.parse_words(sys.argv[1:])), parser.prog, debug="--debug" in sys.argv[1:])
    else:
        run(parser.parse_values(values))


def report(counts: object, result: Path, *, advice: str | None = None) -> None:
    """Say a step's last line: what came in, what was lost, where the result is; a warning where there is advice."""
    if advice:
        log.warning("warning: %s -> %s; %s", counts, result, advice)
    else:
        log.info("%s -> %s", counts, result)
