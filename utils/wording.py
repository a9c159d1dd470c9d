"""Numbers in messages: "1 sentence", "2 sentences"."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1; large numbers have no separators.

    >>> counted(1, "answer"), counted(1200, "answer"), counted(0, "entity"), counted(2, "batch")
    ('1 answer', '1200 answers', '0 entities', '2 batches')
    """
    return f"{number} {noun if number == 1 else _plural(noun)}"


def agreeing(number: int, singular: str, plural: str) -> str:
    """Return the word that agrees with a number: `agreeing(1, "is", "are")` is "is"."""
    return singular if number == 1 else plural


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "sh", "s", "x")):
        return f"{noun}es"
    if noun.endswith("y") and not noun.endswith(("ay", "ey", "oy")):
        return f"{noun[:-1]}ies"
    return f"{noun}s"
