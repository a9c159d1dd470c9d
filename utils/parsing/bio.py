"""Labels of single tokens (BIO and BIOES) as labels of whole texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate

_CHUNK_LABEL = re.compile(r"([BIESLUM])[-_](\w.*)", re.DOTALL)
_CONTINUES = "IELM"


@dataclass(slots=True)
class _Chunk:
    texts: list[str]
    label: str
    joined: str  # the texts as one; only kept up to date if the sentence is known


def join_chunks(candidates: Sequence[ItemCandidate], context: Context) -> list[ItemCandidate]:
    """Return the candidates, with `京 I-LOC` appended to `北 B-LOC` before it. In pos mode nothing is joined."""
    if context.mode == "pos" or not any(map(_CHUNK_LABEL.match, {candidate.label for candidate in candidates})):
        return list(candidates)
    chunks: list[_Chunk] = []
    is_open = False
    for candidate in candidates:
        parts = _CHUNK_LABEL.match(candidate.label)
        if parts and is_open and parts[1] in _CONTINUES and chunks[-1].label[2:] == parts[2]:
            joined = _join((chunks[-1].joined, candidate.text)) if context.sentence is not None else ""
            if not context.lacks(joined):
                chunks[-1].texts.append(candidate.text)
                chunks[-1].joined = joined
                continue
        chunks.append(_Chunk([candidate.text], candidate.label, candidate.text))
        is_open = parts is not None and parts[1] in "BIM"
    return [ItemCandidate(_join(chunk.texts), chunk.label) for chunk in chunks]


def _join(texts: Iterable[str]) -> str:
    """Return the texts as one, without empty ones."""
    parts: list[str] = []
    for text in filter(str.strip, texts):
        parts += (_separator(parts[-1], text), text) if parts else (text,)
    return "".join(parts)


def _separator(before: str, text: str) -> str:
    """Return what is between two texts of a chunk: a space, unless they are dense."""
    return "" if before and ord(before[-1]) > 0x2E80 and len(text) == 1 else " "
