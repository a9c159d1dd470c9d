"""Words in messages: numbers ("2 sentences"), lists of names, columns of tables, and texts from files and servers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

MAX_LISTED = 5  # names in a message
# Control characters, which can move the cursor, change colours or the title, or end a line; characters that turn the
# direction of a line; and lone surrogates, which no terminal can show.
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, *, keep: str = "") -> str:
    r"""Return a text from outside so that a terminal only shows it: control characters are escaped, except `keep`.

    All that is printed goes through this function: labels, manifests, logs and servers may contain anything.

    >>> print(printable("PER\x1b[31m\n"))
    PER\x1b[31m\n
    """
    return _UNPRINTABLE.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1; large numbers have no separators.

    >>> counted(1, "answer"), counted(1200, "answer"), counted(0, "entity"), counted(2, "batch")
    ('1 answer', '1200 answers', '0 entities', '2 batches')
    """
    return f"{number} {noun if number == 1 else _plural(noun)}"


def agreeing(number: int, singular: str, plural: str) -> str:
    """Return the word that agrees with a number: `agreeing(1, "is", "are")` is "is"."""
    return singular if number == 1 else plural


def numbered(counts: Mapping[str, int]) -> str:
    """Return counts as one text, sorted by their names.

    >>> numbered({"too short": 3, "repeated": 1})
    '1 repeated, 3 too short'
    """
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """Return names as one text; of many, the first ones and the number of the others.

    >>> listed(["1", "2", "3", "4", "5", "6", "7"])
    '1, 2, 3, 4, 5 and 2 more'
    """
    others = len(names) - MAX_LISTED
    return separator.join(names[:MAX_LISTED]) + (f" and {others} more" if others > 0 else "")


def terminal_width(text: str) -> int:
    """Return the columns that a text takes on a terminal: two for each wide character, such as an ideograph."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def padded(text: str, width: int) -> str:
    """Return a text with spaces up to a number of columns."""
    return text + " " * max(0, width - terminal_width(text))


def _escaped(character: str) -> str:
    return ascii(character)[1:-1]


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "sh", "s", "x")):
        return f"{noun}es"
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy")):
        return f"{noun[:-1]}ies"
    return f"{noun}s"
