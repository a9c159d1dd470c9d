"""Abbreviations that end with a full stop, in English text and inside Chinese, Japanese or Korean text."""

from __future__ import annotations

_TITLES = ("Mr", "Mrs", "Ms", "Dr", "Prof", "St")
_NAME_ENDINGS = ("Inc", "Ltd", "Co", "Corp", "Jr", "Sr")
_LATIN = ("vs", "e.g", "i.e")

# All without their last full stop.
NEVER_LAST = (*_TITLES, *_LATIN, "No", "Fig", "approx")  # no sentence ends with one
NOT_AN_END = (*_TITLES, *_NAME_ENDINGS, *_LATIN, "No", "Fig", "Vol", "Mt", "U.S", "U.K")  # the sentence may continue
ONE_TOKEN = (*_TITLES, *_NAME_ENDINGS, *_LATIN, "No", "etc")  # a token together with the full stop


def any_of(abbreviations: tuple[str, ...]) -> str:
    """Return a regular expression that matches one of the abbreviations, without the last full stop."""
    return "|".join(abbreviation.replace(".", r"\.") for abbreviation in abbreviations)
