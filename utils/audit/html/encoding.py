"""The sentences as compact JSON inside the page, which no text can end or leave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from utils.audit.html.doubts import REASONS, Doubt, doubtfulness
from utils.audit.html.sentences import KINDS, ShownSentence
from utils.audit.html.spans import GOLD, origin_of
from utils.dataset.layout import SIZES
from utils.dataset.records import Span

ORIGINS = (GOLD, "ner", "copied", "patch", "entity", "pos")
NO_SCORE = 0  # a score is stored as its thousandths plus 1
# Numbers are characters. Small ones are ASCII characters, of which none is escaped in JSON or HTML: "]" to "~".
FIRST, NUM_ASCII, BEYOND, SURROGATES = ord("]"), 34, 0xA1, 0xD800
# "<" could end the script or begin a comment in it, and JavaScript once ended lines at U+2028 and U+2029.
ESCAPES = str.maketrans({one: f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})


def script_json(value: Any) -> str:
    """Return a value as JSON that may be inside a <script> of type application/json.

    >>> script_json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def encode_numbers(numbers: Iterable[int]) -> str:
    """Return whole numbers from 0 as a short text, a character each.

    >>> encode_numbers([0, 1, 33, 34, 1000])
    ']^~¡ѧ'
    """
    return "".join(map(_character, numbers))


def _character(number: int) -> str:
    code = FIRST + number if number < NUM_ASCII else BEYOND + number - NUM_ASCII
    return chr(code if code < SURROGATES else code + 0x800)


class SentenceEncoder:
    """Encodes sentences as short lists; labels, origins and pairs of both are numbers of lists."""

    def __init__(self, targets: Sequence[str]) -> None:
        self.labels: dict[str, int] = {label: number for number, label in enumerate(targets)}
        self.origins: dict[str, int] = {origin: number for number, origin in enumerate(ORIGINS)}
        self.pairs: dict[tuple[int, int], int] = {}  # (label, origin) -> number
        self._sizes = list(SIZES)

    def encode(self, row: ShownSentence, doubts: Sequence[Doubt]) -> list[Any]:
        """Return [id, text, kind, source, size, doubtfulness in per cent, doubts, spans].

        The text is a string if each token is one character, else the list of tokens. Spans are a text of four numbers
        each: the distance of its start to that of the span before (2 n for n, 2 n - 1 for -n), its length, its pair of
        label and origin, and its score in thousandths plus 1, or 0.
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
            encode_numbers(self._spans(row.sentence.spans)),
        ]

    def _spans(self, spans: Iterable[Span]) -> Iterator[int]:
        last = 0
        for span in spans:
            distance = span.start - last
            last = span.start
            label = self.labels.setdefault(span.label, len(self.labels))
            origin = self.origins.setdefault(origin_of(span), len(self.origins))
            score = span.score if isinstance(span.score, (int, float)) and 0 <= span.score <= 1 else None
            yield 2 * distance if distance >= 0 else -2 * distance - 1
            yield span.end - span.start
            yield self.pairs.setdefault((label, origin), len(self.pairs))
            yield NO_SCORE if score is None else round(1000 * score) + 1
