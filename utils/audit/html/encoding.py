"""The sentences as compact JSON inside the page, which no text can end or leave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from utils.audit.html.doubts import REASONS, Doubt, doubtfulness
from utils.audit.html.sentences import KINDS, ShownSentence
from utils.audit.html.spans import GOLD, origin_of
from utils.dataset.layout import SIZES
from utils.dataset.records import Span

ORIGINS = (GOLD, "ner", "copied", "patch", "entity", "pos")
NO_SCORE = -1
# "<" could end the script or begin a comment in it, and JavaScript once ended lines at U+2028 and U+2029.
ESCAPES = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})


def script_json(value: Any) -> str:
    """Return a value as JSON that may be inside a <script> of type application/json.

    >>> script_json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


class SentenceEncoder:
    """Encodes sentences as lists of numbers and texts; labels and origins are numbers of lists."""

    def __init__(self, targets: Sequence[str]) -> None:
        self.labels: dict[str, int] = {label: number for number, label in enumerate(targets)}
        self.origins: dict[str, int] = {origin: number for number, origin in enumerate(ORIGINS)}
        self._sizes = list(SIZES)

    def encode(self, row: ShownSentence, doubts: Sequence[Doubt]) -> list[Any]:
        """Return [id, text, kind, source, size, doubtfulness in per cent, doubts, spans].

        The text is a string if each token is one character, else the list of tokens. Spans are five numbers each:
        start, end, label, origin, and the score in thousandths.
        """
        tokens = row.sentence.tokens
        is_dense = bool(tokens) and all(len(token) == 1 for token in tokens)
        source = row.sentence.source
        return [
            row.id,
            "".join(tokens) if is_dense else list(tokens),
            KINDS.index(row.kind),
            str(source) if isinstance(source, int) and source > 0 and row.kind == "synthetic" else "",
            self._sizes.index(row.size),
            round(100 * doubtfulness(doubts)),
            [[REASONS.index(doubt.reason), *doubt.details] for doubt in doubts],
            [number for span in row.sentence.spans for number in self._span(span)],
        ]

    def _span(self, span: Span) -> list[int]:
        score = span.score if isinstance(span.score, (int, float)) else None
        return [
            span.start,
            span.end,
            self.labels.setdefault(span.label, len(self.labels)),
            self.origins.setdefault(origin_of(span), len(self.origins)),
            NO_SCORE if score is None else round(1000 * float(score)),
        ]
