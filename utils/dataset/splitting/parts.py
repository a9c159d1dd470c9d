"""Parts of a dataset at random, made of whole groups of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from utils.dataset.records import Sentence
from utils.dataset.splitting.groups import Track, group_sentences


def split_sentences(
    sentences: Sequence[Sentence], shares: Sequence[float], rng: Random, track: Track = iter
) -> list[list[Sentence]]:
    """Return one list of sentences per share, each in the order of the input. Groups are never divided.

    Raises ValueError if a part would be empty.
    """
    groups = group_sentences([sentence.tokens for sentence in sentences], track)
    rng.shuffle(groups)
    groups.sort(key=len, reverse=True)  # the large groups first: the small ones fill what is left
    parts: list[list[int]] = [[] for _ in shares]
    wanted = [share * len(sentences) for share in shares]
    for group in groups:
        missing = [want - len(part) for want, part in zip(wanted, parts, strict=True)]
        # Parts are filled in proportion: the one that lacks the largest share of its sentences comes next.
        chosen = max(range(len(parts)), key=lambda at: missing[at] / wanted[at])
        parts[chosen] += group
    if not all(parts):
        raise ValueError(
            f"--split: {len(groups)} groups of different sentences are too few for {len(shares)} parts: add sentences, "
            "or leave --split out"
        )
    return [[sentences[index] for index in sorted(part)] for part in parts]
