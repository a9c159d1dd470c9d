"""Labels of single tokens (BIO and BIOES) as labels of whole texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from utils.parsing.context import Context
from utils.parsing.item import ItemCandidate

_CHUNK_LABEL = re.compile(r"([BIESLUM])[-_](\w.*)", re.DOTALL)
_CONTINUES = "IELM"


@dataclass(frozen=True, slots=True)
class _Chunk:
    texts: tuple[str, ...]
    label: str


def join_chunks(candidates: Sequence[ItemCandidate], context: Context) -> list[ItemCandidate]:
    """Return the candidates, with `京 I-LOC` appended to `北 B-LOC` before it. In pos mode nothing is joined."""
    if context.mode == "pos" or not any(map(_CHUNK_LABEL.match, {candidate.label for candidate in candidates})):
        return list(candidates)
    chunks: list[_Chunk] = []
    is_open = False
    for candidate in candidates:
        parts = _CHUNK_LABEL.match(candidate.label)
        if parts and is_open and parts[1] in _CONTINUES and chunks[-1].label[2:] == parts[2]:
            joined = _Chunk((*chunks[-1].texts, candidate.text), chunks[-1].label)
            if not context.lacks(_join(joined.texts, context)):
                chunks[-1] = joined
                continue
        chunks.append(_Chunk((candidate.text,), candidate.label))
        is_open = parts is not None and parts[1] in "BIM"
    return [ItemCandidate(_join(chunk.texts, context), chunk.label) for chunk in chunks]


def _join(texts: Sequence[str], context: Context) -> str:
    """Return the texts as one; with spaces between words of Latin letters."""
    joined = texts[0] if texts else ""
    for text in texts[1:]:
        joined += text if len(joined[-1:]) and ord(joined[-1]) > 0x2E80 and len(text) == 1 else f" {text}"
    return joined
