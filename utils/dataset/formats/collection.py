"""All sentences of a dataset in another format, by split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from utils.dataset.records import Sentence
from utils.dataset.tokens import Tokenisation

Split = Literal["train", "dev", "test"]

SPLITS: tuple[Split, ...] = get_args(Split)
PROJECT_FILES: dict[Split, str] = {"train": "train_1000.jsonl", "dev": "dev.jsonl", "test": "test.jsonl"}
LABELS = "labels.txt"

_NAMES: dict[Split, str] = {"dev": "dev|valid|validation|val|testa|eval", "test": "test|testb", "train": "train"}
_SPLIT_NAMES = {
    split: re.compile(rf"(?:^|[^a-z])(?:{names})(?:[^a-z]|$)", re.IGNORECASE) for split, names in _NAMES.items()
}


@dataclass(frozen=True)
class Collection:
    """The sentences of a dataset by split, its labels without "O", and its tokenisation."""

    splits: Mapping[Split, Sequence[Sentence]]
    labels: tuple[str, ...]
    tokenisation: Tokenisation
    given_spans: int = 0  # spans in the files

    @property
    def sentences(self) -> list[Sentence]:
        return [sentence for sentences in self.splits.values() for sentence in sentences]


def split_of(name: str) -> Split | None:
    """Return the split that the name of a file or folder says, or None.

    >>> split_of("weiboNER.train"), split_of("validation-00000-of-00001.parquet"), split_of("trainers.txt")
    ('train', 'dev', None)
    """
    return next((split for split, pattern in _SPLIT_NAMES.items() if pattern.search(name)), None)
