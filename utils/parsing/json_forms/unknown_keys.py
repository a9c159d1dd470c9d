"""Objects with unknown keys as candidates: the sentence decides which key holds the texts."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate
from utils.parsing.keys import role_of

_TAG = re.compile(r"(?:[BIES]-)?[A-Z][A-Z_.-]{1,30}")
MAX_SHORT_KEYS = 4  # characters of two keys such as "T" and "k1", which are neither texts nor labels


def read_columns(rows: Sequence[Mapping[Any, Any]], context: Context) -> list[ItemCandidate] | None:
    """Return the candidates of objects with the same unknown keys, or None if the keys are texts or labels.

    The column with most texts of the sentence holds the texts. Without a sentence, the other column must hold tags.
    """
    columns = [key for key in rows[0] if role_of(str(key)) != "meta" and all(_is_text(row[key]) for row in rows)]
    if len(columns) < 2 or any(map(context.contains, map(str, columns))):
        return None
    scores = {key: _score(rows, key, context) for key in columns}
    text, *others = sorted(columns, key=lambda key: -scores[key])
    label = min(others, key=lambda key: (scores[key], sum(len(row[key]) for row in rows)))
    if context.sentence is not None and len(rows) > 1 and scores[text] == 0:
        return []  # nothing tells which column holds the texts
    if context.sentence is not None and (scores[text] == 0 or 2 * scores[label] > scores[text]):
        return None  # {"PER": "Ito", "LOC": "Osaka"}
    has_tags = all(_TAG.fullmatch(row[label].strip()) for row in rows)
    if not has_tags and (context.sentence is None or (len(rows) == 1 and len(f"{text}{label}") > MAX_SHORT_KEYS)):
        return None
    return [ItemCandidate(row[text].strip(), row[label].strip()) for row in rows]


def groups(values: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the values in order; objects that follow each other and have the same keys are in one list."""
    group: list[Any] = []
    for value in values:
        if group and _keys(group[-1]) != _keys(value):
            yield group
            group = []
        group.append(value)
    if group:
        yield group


def _keys(value: Any) -> Hashable:
    return tuple(value) if isinstance(value, dict) else None


def _score(rows: Sequence[Mapping[Any, Any]], key: Any, context: Context) -> int:
    """Return how many values of a column are texts: those in the sentence or, without one, those that are no tags."""
    values = [row[key].strip() for row in rows]
    if context.sentence is None:
        return sum(not _TAG.fullmatch(value) for value in values)
    return sum(map(context.contains, values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""
