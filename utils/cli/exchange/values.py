"""The types of the values of conversion flags."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping

MAX_ERROR = 1e-6  # of the sum of shares, which are decimal numbers


def shares(text: str) -> tuple[float, ...]:
    """Read two or three shares that add up to 1, such as `0.8,0.1,0.1`."""
    try:
        numbers = tuple(float(number) for number in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (2, 3) or min(numbers) <= 0 or abs(sum(numbers) - 1) > MAX_ERROR:
        raise ArgumentTypeError(
            f"{text!r} must be the shares of train, dev and test, such as 0.8,0.1,0.1, that add up to 1"
        )
    return numbers


def new_names(text: str) -> Mapping[str, str]:
    """Read labels and their new names, such as `PERSON=PER,GPE=LOC`; `OLD=` drops the label."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not pairs or not all(separator and old.strip() for old, separator, _ in pairs):
        raise ArgumentTypeError(f"{text!r} must be pairs such as OLD=NEW,OLD2=NEW2; OLD= drops a label")
    return {old.strip(): new.strip() for old, _, new in pairs}
