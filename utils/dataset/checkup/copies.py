"""Sentences that occur twice: in one file, or in training and held-out files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from utils.dataset.checkup.findings import Finding, found
from utils.dataset.checkup.lines import SplitLines
from utils.dataset.held_out import HeldOutTexts, held_out_key
from utils.dataset.records import SpanKey
from utils.wording import agreeing, counted


def check_copies(splits: Mapping[str, SplitLines]) -> list[Finding]:
    """Return the sentences that are twice in a file, with the same or other spans, or in two files."""
    findings = [finding for split in splits.values() for finding in _repeats(split)]
    names = list(splits)
    pairs = [(first, second) for at, first in enumerate(names) for second in names[at + 1 :]]
    return [*findings, *(finding for one, two in pairs for finding in _leak(splits[one], splits[two]))]


def _repeats(split: SplitLines) -> list[Finding]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, sentence in enumerate(split.sentences):
        if key := held_out_key(sentence.tokens):
            groups[key].append(index)
    repeated = [group for group in groups.values() if len(group) > 1]
    different = [group for group in repeated if len({_spans(split, index) for index in group}) > 1]
    number, name = sum(len(group) - 1 for group in repeated), split.path.name
    return [
        *found(
            "warning",
            "duplicate",
            number,
            "sentence",
            f"of {name} repeats|repeat an earlier one",
            _shown(split, repeated),
        ),
        *found(
            "warning",
            "contradiction",
            len(different),
            "sentence",
            f"of {name} occurs|occur again with other spans",
            _shown(split, different),
        ),
    ]


def _spans(split: SplitLines, index: int) -> frozenset[SpanKey]:
    return frozenset(span.key for span in split.sentences[index].spans)


def _shown(split: SplitLines, groups: list[list[int]]) -> str:
    """Return the places of the first two sentences of the first group."""
    return " = ".join(split.where(index) for index in groups[0][:2]) if groups else ""


def _leak(train: SplitLines, held_out: SplitLines) -> list[Finding]:
    """Return the sentences of a held-out file that are in another file, or part of a sentence of it."""
    texts = HeldOutTexts((one.tokens, index) for index, one in enumerate(held_out.sentences))
    equal: dict[int, int] = {}
    contained: dict[int, int] = {}
    for index, sentence in enumerate(train.sentences):
        for other in texts.equal(sentence.tokens):
            equal.setdefault(other, index)
        for other in texts.contained(sentence.tokens):
            contained.setdefault(other, index)
    contained = {other: index for other, index in contained.items() if other not in equal}
    pair = f"{train.path.name}: scores will be too high"
    return [
        *(_finding("leak", equal, train, held_out, f"also in {pair}")),
        *(_finding("leak in part", contained, train, held_out, f"part of a sentence of {pair}")),
    ]


def _finding(kind: str, pairs: Mapping[int, int], train: SplitLines, held_out: SplitLines, what: str) -> list[Finding]:
    if not pairs:
        return []
    other, index = min(pairs.items())
    number, total = len(pairs), len(held_out.sentences)
    example = f"{held_out.where(other)} and {train.where(index)}"
    message = f"{number} of {counted(total, 'sentence')} of {held_out.path.name} {agreeing(number, 'is', 'are')} {what}"
    return [Finding("warning", kind, message, number, example)]
