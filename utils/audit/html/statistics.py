"""Counts of labels, lengths, nesting and crossings in the sentences that the report shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from utils.audit.html.sentences import ShownSentence
from utils.audit.html.spans import is_target
from utils.dataset.records import Span

MAX_BARS = 24  # of a histogram


@dataclass
class Overlaps:
    """How often two spans of a sentence are nested, cross, or are the same; by the pair of their kinds."""

    nested: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    crossing: Counter[str] = field(default_factory=Counter)


@dataclass
class Statistics:
    """What is counted in some sentences."""

    sentences: int = 0
    tokens: int = 0
    without_spans: int = 0  # sentences without a target span
    targets: Counter[str] = field(default_factory=Counter)  # label -> spans
    extensions: Counter[tuple[str, str]] = field(default_factory=Counter)  # (origin, label) -> spans
    sentence_lengths: Counter[int] = field(default_factory=Counter)  # in tokens
    target_lengths: Counter[int] = field(default_factory=Counter)
    extension_lengths: Counter[int] = field(default_factory=Counter)
    overlaps: Overlaps = field(default_factory=Overlaps)

    @property
    def target_spans(self) -> int:
        return self.targets.total()

    @property
    def extension_spans(self) -> int:
        return self.extensions.total()


def count_sentences(rows: Iterable[ShownSentence], targets: Sequence[str]) -> Statistics:
    """Return the counts of some sentences."""
    found = Statistics()
    for row in rows:
        _add(found, row, frozenset(targets))
    return found


def _add(found: Statistics, row: ShownSentence, targets: frozenset[str]) -> None:
    sentence = row.sentence
    own = [span for span in sentence.spans if is_target(span, targets)]
    extensions = [span for span in sentence.spans if not is_target(span, targets)]
    found.sentences += 1
    found.tokens += len(sentence.tokens)
    found.without_spans += not own
    found.targets.update(span.label for span in own)
    found.extensions.update((str(span.origin), span.label) for span in extensions)
    found.sentence_lengths[len(sentence.tokens)] += 1
    found.target_lengths.update(span.end - span.start for span in own)
    found.extension_lengths.update(span.end - span.start for span in extensions)
    _count_overlaps(found.overlaps, own, extensions)


def _count_overlaps(overlaps: Overlaps, own: Sequence[Span], extensions: Sequence[Span]) -> None:
    pairs = [("target_target", pair) for pair in combinations(own, 2)]
    pairs += [("target_extension", (target, extension)) for target in own for extension in extensions]
    for kind, (one, other) in pairs:
        if not one.overlaps(other):
            continue
        if (one.start, one.end) == (other.start, other.end):
            overlaps.same[kind] += 1
        elif one.crosses(other):
            overlaps.crossing[kind] += 1
        else:
            overlaps.nested[kind] += 1


def buckets(counts: Counter[int]) -> list[tuple[str, int]]:
    """Return the counts of lengths in at most 24 ranges of equal width, with their names; the last may be open.

    >>> buckets(Counter({1: 5, 2: 3, 4: 1}))
    [('1', 5), ('2', 3), ('3', 0), ('4', 1)]
    """
    if not counts:
        return []
    ordered = sorted(counts.elements())
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(0.995 * len(ordered)))]  # without far outliers
    width = max(1, -(-(high - low + 1) // MAX_BARS))
    starts = list(range(low, high + 1, width))
    found = []
    for number, start in enumerate(starts):
        is_last = number == len(starts) - 1
        end = ordered[-1] if is_last else start + width - 1
        total = sum(count for length, count in counts.items() if start <= length <= end)
        found.append((_range_name(start, start + width - 1, is_open=end > start + width - 1), total))
    return found


def _range_name(start: int, end: int, *, is_open: bool) -> str:
    if is_open:
        return f"{start}+"
    return str(start) if start == end else f"{start}–{end}"
