"""How doubtful the labels of a sentence are, and why; the report shows the most doubtful sentences first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from utils.audit.html.sentences import ShownSentence
from utils.audit.html.spans import is_target
from utils.dataset.layout import FULL, Layout
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import TARGET_SCORES, Sentence, Span
from utils.files.jsonl import read_rows

DoubtReason = Literal["disagrees", "ambiguous", "missed", "low_score", "near_miss", "crossing", "unreadable"]
WEIGHTS: Mapping[DoubtReason, float] = {  # how likely the sentence then needs a correction; set by hand, 0 to 1
    "disagrees": 0.8,  # the model labels a mention otherwise than s2 asked for
    "ambiguous": 0.5,  # a mention has another target label in most other sentences
    "missed": 0.5,  # a mention that nearly always has a target label has none here
    "low_score": 0.7,  # times 1 - score
    "near_miss": 0.6,  # times the score of a span that the model nearly predicted
    "crossing": 0.3,  # an extra entity partly overlaps a target span
    "unreadable": 0.2,  # an answer of the LLM could not be read, or there is none
}
REASONS: tuple[DoubtReason, ...] = tuple(WEIGHTS)
MOSTLY = 0.75  # share of occurrences of a mention from which on its label is taken as usual
MIN_OCCURRENCES = 3  # of a mention; with fewer, nothing is usual
NEAR = 0.3  # score from which on a span is nearly predicted
MAX_DETAILS = 3  # mentions that are named for a reason

MentionTokens = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to look at a sentence, with its weight and the mentions that it is about."""

    reason: DoubtReason
    weight: float
    details: tuple[str, ...] = ()


def find_doubts(rows: Sequence[ShownSentence], layout: Layout, targets: Sequence[str], join: str) -> list[list[Doubt]]:
    """Return the doubts about each sentence; `join` is between the tokens of a mention."""
    usual = _UsualLabels(rows, targets)
    reviewed = _reviewed(layout, join)
    unread = _unread(layout)
    found = []
    for row in rows:
        doubts = [
            *_mention_doubts("disagrees", reviewed.get(row.id, ())),
            *_mention_doubts("ambiguous", map(join.join, usual.ambiguous(row.sentence))),
            *_mention_doubts("missed", map(join.join, usual.missed(row.sentence))),
            *_score_doubts(row.sentence, targets, join),
            *_crossing_doubts(row.sentence, targets, join),
        ]
        if row.id in unread:
            doubts.append(Doubt("unreadable", WEIGHTS["unreadable"], tuple(unread[row.id])))
        found.append(doubts)
    return found


def doubtfulness(doubts: Iterable[Doubt]) -> float:
    """Return a number from 0 to 1: the chance that at least one of independent doubts is right."""
    rest = 1.0
    for doubt in doubts:
        rest *= 1 - doubt.weight
    return 1 - rest


def _mention_doubts(reason: DoubtReason, mentions: Iterable[str]) -> list[Doubt]:
    found = tuple(dict.fromkeys(mentions))
    return [Doubt(reason, WEIGHTS[reason], found[:MAX_DETAILS])] if found else []


def _score_doubts(sentence: Sentence, targets: Sequence[str], join: str) -> list[Doubt]:
    """Return the doubts from the scores of a span model or of votes: the lowest kept one, the highest other one."""
    kept = [span for span in sentence.spans if is_target(span, targets) and _is_score(span.score)]
    cells = {span.key for span in sentence.spans}
    found = []
    if kept:
        lowest = min(kept, key=lambda span: span.score or 0.0)
        weight = WEIGHTS["low_score"] * (1 - float(lowest.score or 0.0))
        found += [Doubt("low_score", weight, (_scored(lowest, sentence, join),))] if weight > 0.05 else []
    others = [
        Span(one["start"], one["end"], one["entity"], score=one["score"])
        for one in _score_rows(sentence)
        if one["score"] >= NEAR and (one["start"], one["end"], one["entity"]) not in cells
    ]
    if others:
        highest = max(others, key=lambda span: span.score or 0.0)
        weight = WEIGHTS["near_miss"] * float(highest.score or 0.0)
        found.append(Doubt("near_miss", weight, (_scored(highest, sentence, join),)))
    return found


def _score_rows(sentence: Sentence) -> list[dict[str, Any]]:
    """Return the valid entries of the scores that s7 wrote; a file from elsewhere may have others."""
    rows = sentence.row.get(TARGET_SCORES)
    return [
        row
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict)
        and all(type(row.get(key)) is int for key in ("start", "end"))
        and isinstance(row.get("entity"), str)
        and _is_score(row.get("score"))
    ]


def _is_score(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _scored(span: Span, sentence: Sentence, join: str) -> str:
    return f"{join.join(sentence.tokens[span.start : span.end])} {span.label} {span.score or 0:.2f}"


def _crossing_doubts(sentence: Sentence, targets: Sequence[str], join: str) -> list[Doubt]:
    own = [span for span in sentence.spans if is_target(span, targets)]
    crossing = [
        span for span in sentence.spans if span.origin == "entity" and any(span.crosses(target) for target in own)
    ]
    return _mention_doubts("crossing", (join.join(sentence.tokens[one.start : one.end]) for one in crossing))


class _UsualLabels:
    """The target labels that mentions usually have in all sentences."""

    def __init__(self, rows: Sequence[ShownSentence], targets: Sequence[str]) -> None:
        self._targets = targets
        self._labels: dict[MentionTokens, Counter[str]] = defaultdict(Counter)
        for row in rows:
            for span, mention in self._mentions(row.sentence):
                self._labels[mention][span.label] += 1
        known = {mention for mention, labels in self._labels.items() if labels.total() >= MIN_OCCURRENCES}
        self._lengths: dict[str, set[int]] = defaultdict(set)  # first token of a mention -> numbers of tokens
        for mention in known:
            self._lengths[mention[0]].add(len(mention))
        unlabelled = Counter(mention for row in rows for mention in self._unlabelled(row.sentence))
        self._expected = {
            mention
            for mention in known
            if sum(map(len, mention)) > 1
            and self._labels[mention].total() >= MOSTLY * (self._labels[mention].total() + unlabelled[mention])
        }

    def ambiguous(self, sentence: Sentence) -> list[MentionTokens]:
        """Return the mentions of a sentence with another label than most of their other occurrences."""
        return [
            mention for span, mention in self._mentions(sentence) if self._usual_label(mention) not in ("", span.label)
        ]

    def missed(self, sentence: Sentence) -> list[MentionTokens]:
        """Return the occurrences of usual mentions that are in no target span of a sentence."""
        return [mention for mention in self._unlabelled(sentence) if mention in self._expected]

    def _usual_label(self, mention: MentionTokens) -> str:
        labels = self._labels[mention]
        label, number = labels.most_common(1)[0]
        return label if labels.total() >= MIN_OCCURRENCES and number >= MOSTLY * labels.total() else ""

    def _mentions(self, sentence: Sentence) -> list[tuple[Span, MentionTokens]]:
        targets = (span for span in sentence.spans if is_target(span, self._targets))
        return [(span, sentence.tokens[span.start : span.end]) for span in targets]

    def _unlabelled(self, sentence: Sentence) -> list[MentionTokens]:
        """Return the occurrences of known mentions that no target span overlaps."""
        tokens = sentence.tokens
        taken = {place for span, _ in self._mentions(sentence) for place in range(span.start, span.end)}
        return [
            tokens[start : start + length]
            for start, first in enumerate(tokens)
            for length in self._lengths.get(first, ())
            if tokens[start : start + length] in self._labels
            and len(tokens) >= start + length
            and not any(place in taken for place in range(start, start + length))
        ]


def _reviewed(layout: Layout, join: str) -> dict[str, list[str]]:
    """Return the mentions that the model of s7 labels otherwise than s2 asked for, by the id of the sentence."""
    found: dict[str, list[str]] = defaultdict(list)
    file = layout.size_review(FULL)
    for _, row in read_rows(file) if file.is_file() else ():
        if row.get("predicted") is not None:
            mention, asked = (one if isinstance(one, list) else [] for one in (row.get("mention"), row.get("asked")))
            labels = "/".join(map(str, asked))
            found[str(row.get("id"))].append(f"{join.join(map(str, mention))} {labels} ≠ {row['predicted']}")
    return found


def _unread(layout: Layout) -> dict[str, list[str]]:
    """Return the tasks whose answers about a sentence could not be read, by the id of the sentence."""
    found: dict[str, list[str]] = defaultdict(list)
    for mode in EXTENSION_MODES:
        for is_synthetic in (False, True):
            file = layout.annotation_file(mode, synthetic=is_synthetic)
            for _, row in read_rows(file) if file.is_file() else ():
                if row.get("status") not in ("ok", None):
                    found[str(row.get("id"))].append(mode)
    return found
