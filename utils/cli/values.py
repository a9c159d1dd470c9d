"""The types of flags' values: functions that convert a text, or raise an error if it is not valid."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from pathlib import Path

from utils.dataset.layout import ROOT
from utils.dataset.tokens import Tokenisation

MAX_NAME = 255  # bytes of the name of a file or folder, on all usual file systems


def whole_number(text: str) -> int:
    """Read a whole number, positive or negative."""
    if not re.fullmatch(r"-?\d+", text.strip()):
        raise ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def positive_number(text: str) -> int:
    """Read a whole number of at least 1."""
    if (number := whole_number(text)) < 1:
        raise ArgumentTypeError(f"{text!r} must be at least 1")
    return number


def count(text: str) -> int:
    """Read a whole number of at least 0."""
    if (number := whole_number(text)) < 0:
        raise ArgumentTypeError(f"{text!r} must be at least 0")
    return number


def decimal(text: str) -> float:
    """Read a number of at least 0."""
    if not re.fullmatch(r"(\d+\.?\d*|\.\d+)(e-?\d+)?", text.strip()):
        raise ArgumentTypeError(f"{text!r} must be a number that is 0 or greater")
    return float(text)


def positive_decimal(text: str) -> float:
    """Read a number greater than 0."""
    if not (number := decimal(text)) > 0:
        raise ArgumentTypeError(f"{text!r} must be greater than 0")
    return number


def share(text: str) -> float:
    """Read a number greater than 0 and at most 1."""
    number = decimal(text)
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"{text!r} must be greater than 0 and at most 1")
    return number


def probability(text: str) -> float:
    """Read a number between 0 and 1, both excluded."""
    number = decimal(text)
    if not 0 < number < 1:
        raise ArgumentTypeError(f"{text!r} must be between 0 and 1")
    return number


def switch(text: str) -> bool:
    """Read 0 or 1, or false, true, no, yes."""
    word = text.strip().lower()
    if word not in ("0", "1", "false", "true", "no", "yes"):
        raise ArgumentTypeError(f"{text!r} must be 0 or 1")
    return word in ("1", "true", "yes")


def auto_switch(text: str) -> bool | None:
    """Read 0 or 1 as a switch, and `auto` as None."""
    return None if text.strip().lower() == "auto" else switch(text)


def auto_tokenisation(text: str) -> Tokenisation | None:
    """Read 1 as one character per token, 0 as one word per token, and `auto` as None."""
    is_dense = auto_switch(text)
    return None if is_dense is None else Tokenisation(is_dense=is_dense)


def gpus(text: str) -> tuple[int, ...]:
    """Read the indices of GPUs, such as `0` or `0,1`; `-1` is the CPU: no index."""
    if not re.fullmatch(r"-1|\d+(,\d+)*", text.strip()):
        raise ArgumentTypeError(f"{text!r} must be a GPU index, a list such as 0,1, or -1 for the CPU")
    return tuple(int(index) for index in text.split(",") if index.strip() != "-1")


def seeds(text: str) -> tuple[int, ...]:
    """Read different whole numbers, such as `1,2,3`."""
    numbers = tuple(whole_number(number) for number in text.split(","))
    if len(set(numbers)) < len(numbers):
        raise ArgumentTypeError(f"{text!r} contains a seed twice")
    return numbers


def not_empty(text: str) -> str:
    """Read a text; refuse an empty one, such as that of a shell variable that is not set."""
    if not text.strip():
        raise ArgumentTypeError("the value is empty")
    return text


def path(text: str) -> Path:
    """Read a path: relative to the working folder or, if it does not exist there, to the repository's root."""
    given = new_path(text)
    return given if given.is_absolute() or given.exists() else shortest(ROOT / given)


def path_or_hub_id(text: str) -> str:
    """Read a folder like other paths; any text that is not a folder is kept as a hub id."""
    folder = path(text)
    return str(folder) if folder.is_dir() else text


def input_path(text: str) -> Path | None:
    """Read the path of a file to read; `-`, standard input, is None."""
    return None if text == "-" else path(text)


def new_path(text: str) -> Path:
    """Read the path of a file or folder to write, relative to the working folder."""
    try:
        given = Path(not_empty(text)).expanduser()
    except RuntimeError:
        user = text.split("/", maxsplit=1)[0]
        raise ArgumentTypeError(
            f"{text!r}: there is no user {user[1:]!r}; write ./{user} for a folder of this name"
        ) from None
    if too_long := [part for part in given.parts if len(part.encode("utf-8", "surrogateescape")) > MAX_NAME]:
        raise ArgumentTypeError(f"the name {too_long[0][:40]!r}… is too long: use at most {MAX_NAME} bytes")
    return given


def output_path(text: str) -> Path | None:
    """Read the path of a file to write, relative to the working folder; `-`, standard output, is None."""
    return None if text == "-" else new_path(text)


def shortest(full: Path) -> Path:
    """Return `full` relative to the working folder if it is inside that folder, for shorter messages."""
    return full.relative_to(Path.cwd()) if full.is_relative_to(Path.cwd()) else full


# The types of which `--flag= 3` is read as `--flag=3`.
NUMBERS = (
    whole_number,
    positive_number,
    count,
    decimal,
    positive_decimal,
    share,
    probability,
    switch,
    auto_switch,
    auto_tokenisation,
    gpus,
)
