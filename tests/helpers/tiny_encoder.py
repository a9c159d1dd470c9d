"""The vocabulary of the span model's tiny encoder, its longest input in word pieces, and texts that it can learn."""

from collections.abc import Iterable
from typing import Any

WORDS = [
    "anna",
    "bert",
    "paris",
    "rome",
    "sees",
    "likes",
    "in",
    "and",
    "the",
    "##ly",
    "##s",
    "邓",
    "超",
    "在",
    "北",
    "京",
]
MAX_POSITIONS = 24
KINDS = {"anna": "PER", "bert": "PER", "paris": "LOC", "rome": "LOC"}


def annotated(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return a row of a dataset for each text, with its names as entities."""
    return [
        {
            "text": text.split(),
            "entities": [
                {"start": at, "end": at + 1, "entity": KINDS[word]}
                for at, word in enumerate(text.split())
                if word in KINDS
            ],
        }
        for text in texts
    ]
