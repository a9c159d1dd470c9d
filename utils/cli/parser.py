"""The parser of flags, and of values from a notebook."""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from utils import __version__
from utils.cli import values
from utils.cli.exits import UsageError
from utils.cli.values import NUMBERS

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

# the word that takes the place of a flag's value in the help, by its type; for other numbers it is N
PLACEHOLDERS: dict[object, str] = {
    **dict.fromkeys((values.path, values.new_path, values.input_path, values.output_path), "PATH"),
    **dict.fromkeys((values.switch, values.auto_switch, values.auto_tokenisation), "0|1"),
    values.gpus: "0,1",
    values.seeds: "1,2,3",
}
MAX_WIDTH = 120  # columns of the help: longer lines are hard to read
MAX_CHOICES = 60  # columns of a list of values; a longer one is in the explanation of its flag
HELP_COLUMN = 30  # where the explanation of a flag begins, unless the flag itself is longer


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError, and that reads `--n_gpu= 0` as `--n_gpu=0`."""

    def __init__(self, description: str, *, debug: str = "show the full traceback of an error") -> None:
        super().__init__(description=description, formatter_class=_HelpFormatter, allow_abbrev=False)
        self.add_argument("--debug", action="store_true", help=debug)
        self.add_argument("--version", action="version", version=f"%(prog)s {__version__}")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (--help lists the flags)")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        (file or sys.stderr).write(message)  # argparse would ignore the error of a closed pipe

    def format_help(self) -> str:
        """Return the help, without the empty lines between its groups of flags."""
        description, options, flags = super().format_help().partition("\noptions:\n")
        return description + options + re.sub(r"\n\n(?=\S)", "\n", flags)

    def parse_words(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the values of command-line words; raise UsageError for words that cannot be used."""
        return self._parse(self._join_numbers(words))

    def parse_values(self, values: Mapping[str, object]) -> argparse.Namespace:
        """Return the values of keyword arguments, which pass the same checks as flags."""
        positional = [action.dest for action in self._actions if not action.option_strings]
        for name in values:
            if name not in positional and f"--{name}" not in self._option_string_actions:
                known = [flag.removeprefix("--") for flag in self._option_string_actions if flag.startswith("--")]
                nearest = difflib.get_close_matches(name, known, n=1)
                meant = f": did you mean {nearest[0]}?" if nearest else ""
                raise UsageError(f"{name!r} is not an argument of this script{meant}")
        if missing := [action.dest for action in self._actions if action.required and values.get(action.dest) is None]:
            flags, example = ", ".join(f"--{name}" for name in missing), ", ".join(f"{name}=…" for name in missing)
            raise UsageError(f"the following arguments are required: {flags}; write main(cmd_args=False, {example})")
        given = {name: value for name, value in values.items() if value is not None}
        words = [self._words(f"--{name}", value) for name, value in given.items() if name not in positional]
        last = [str(given[name]) for name in positional if name in given]
        return self._parse([*(word for some in words for word in some), *(["--", *last] if last else [])])

    def _parse(self, words: list[str]) -> argparse.Namespace:
        """Return the values of words, and the words themselves as `command_line`, a name that no flag has."""
        args = self.parse_args(words)
        args.command_line = words
        return args

    def _words(self, flag: str, value: object) -> list[str]:
        """Return the command-line words of a keyword argument; none for a flag without a value if it is False."""
        if self._option_string_actions[flag].nargs == 0:
            return [flag] if value else []
        if isinstance(value, (list, tuple)):  # a flag with several words
            return [flag, *map(str, value)]
        return [f"{flag}={int(value) if isinstance(value, bool) else value}"]

    def _join_numbers(self, words: Sequence[str]) -> list[str]:
        """Return the words, with a number joined to the numeric flag before it if that ends in `=`."""
        joined: list[str] = []
        for word in words:
            if joined and self._lacks_number(joined[-1]) and re.fullmatch(r"-?[\d.,]+(e-?\d+)?", word):
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _lacks_number(self, word: str) -> bool:
        action = self._option_string_actions.get(word[:-1]) if word.endswith("=") else None
        return action is not None and action.type in NUMBERS


class _HelpFormatter(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keep the description as it is written, and show each flag as `--name=VALUE` with its default, in few lines."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns - 2, MAX_WIDTH)
        super().__init__(prog, max_help_position=HELP_COLUMN, width=width)

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        shown = (action for action in actions if action.required or not action.option_strings)
        required = [self._format_action_invocation(action) for action in shown]
        return f"usage: {' '.join([self._prog, *required, '[flags]'])}\n\n"

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings:  # a word without a flag
            return f"[{action.dest.upper()}]" if action.nargs == "?" else action.dest.upper()
        flag = next(name for name in action.option_strings if name.startswith("--"))
        if action.nargs == 0:
            return flag
        if isinstance(action.nargs, int):  # a flag with several words
            return f"{flag} {self._format_args(action, action.dest.upper())}"
        choices = f"{{{','.join(map(str, action.choices or ()))}}}"
        value = choices if 2 < len(choices) <= MAX_CHOICES else _placeholder(action)
        if isinstance(action.metavar, str):  # for very many choices, which the explanation lists
            value = action.metavar
        return f"{flag}[={value}]" if action.nargs == "?" else f"{flag}={value}"

    def _get_help_string(self, action: argparse.Action) -> str | None:
        has_no_value = action.nargs == 0  # a flag such as --overwrite
        return action.help if has_no_value or action.default in (None, "") else super()._get_help_string(action)


def _placeholder(action: argparse.Action) -> str:
    """Return the word that takes the place of a flag's value in the help."""
    if action.type in PLACEHOLDERS:
        return PLACEHOLDERS[action.type]
    return "N" if action.type in NUMBERS else "…"
