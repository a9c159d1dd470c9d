"""Faults of spans and labels: spans that overlap, labels that few spans have, mentions with different labels."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from utils.dataset.checkup.findings import Finding, Level, found
from utils.dataset.checkup.lines import SplitLines
from utils.dataset.records import Span
from utils.dataset.tokens import Tokenisation
from utils.wording import counted

MIN_SPANS = 5  # of a label: a span model does not learn it from fewer
NOISE_SHARE = 0.05  # of the spans whose mention occurs several times: from here on, other labels are a warning
MIN_KNOWN = 3  # spans of a mention: fewer do not show that it must be annotated
MISSING_SHARE = 0.25  # of the occurrences of known mentions that no span touches: 0.00 to 0.07 in six datasets
FIRST_SHARE = 4  # size 250 is the first quarter of the sentences
MIN_SORTED = 12  # spans of a label: with fewer, that the first quarter has none may be chance

Labels = Mapping[str, Counter[str]]  # split -> spans of each label


def check_spans(split: SplitLines, tokenisation: Tokenisation) -> list[Finding]:
    """Return the overlaps in the spans of a file, and spans that begin or end with a space."""
    places: dict[str, list[str]] = defaultdict(list)
    for index, sentence in enumerate(split.sentences):
        for kind, span in _overlaps(sentence.spans):
            mention = tokenisation.join(sentence.tokens[span.start : span.end])
            places[kind].append(f"{split.where(index)}: {span.label} {mention!r}")
        for span in sentence.spans:
            ends = sentence.tokens[span.start], sentence.tokens[span.end - 1]
            if not all(token.strip() for token in ends):
                places["space at end"].append(f"{split.where(index)}: {sentence.tokens[span.start : span.end]}")
    return [
        finding
        for level, kind, message in _OVERLAPS
        for finding in found(
            level, kind, len(places[kind]), "span", f"of {split.path.name} {message}", next(iter(places[kind]), "")
        )
    ]


_OVERLAPS: tuple[tuple[Level, str, str], ...] = (
    ("warning", "repeated span", "is|are given twice, with the same label"),
    ("warning", "crossing", "crosses|cross another one: a span model finds one of them"),
    ("warning", "space at end", "begins|begin or ends|end with a space"),
    ("note", "two labels", "has|have the same tokens as another one with another label"),
    ("note", "nested", "is|are inside another one"),
)


def _overlaps(spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Yield the kind of each overlap of two spans, and the span that it is counted for, once for each kind."""
    seen: set[tuple[str, int]] = set()
    for (first, one), (second, two) in combinations(enumerate(spans), 2):
        if not one.overlaps(two):
            continue
        kind = _kind(one, two)
        index = first if kind == "nested" and two.contains(one) else second
        if (kind, index) not in seen:
            seen.add((kind, index))
            yield kind, spans[index]


def _kind(one: Span, two: Span) -> str:
    if (one.start, one.end) == (two.start, two.end):
        return "repeated span" if one.label == two.label else "two labels"
    return "crossing" if one.crosses(two) else "nested"


def label_counts(splits: Mapping[str, SplitLines]) -> Labels:
    """Return the number of spans of each label in each split."""
    return {
        name: Counter(span.label for sentence in split.sentences for span in sentence.spans)
        for name, split in splits.items()
    }


def check_labels(counts: Labels, listed: Sequence[str] | None, labels: Path) -> list[Finding]:
    """Return the labels that are not listed, have few spans or none, or are missing in train; None: no labels.txt."""
    train = counts.get("train", Counter())
    everywhere: Counter[str] = sum(counts.values(), Counter())
    names = list(listed) if listed is not None else sorted(everywhere)
    unlisted = {label: everywhere[label] for label in everywhere if listed is not None and label not in listed}
    rare = {label: train[label] for label in names if 0 < train[label] < MIN_SPANS}
    return [
        *_listing("error", "unlisted label", unlisted, f"is|are not in {labels.name}: the steps refuse its spans"),
        *_listing("warning", "unused label", {one: everywhere[one] for one in names if not train[one]}, _UNUSED),
        *_listing(
            "warning",
            "rare label",
            rare,
            f"has|have fewer than {counted(MIN_SPANS, 'span')} in train: no model learns it",
        ),
        *_similar(sorted({*names, *everywhere})),
        *([] if train or "train" not in counts else [Finding("error", "no spans", "train has no spans at all")]),
    ]


_UNUSED = "has|have no span in train: no model learns it"


def _listing(level: Level, kind: str, labels: Mapping[str, int], message: str) -> list[Finding]:
    """Return a finding that lists labels with their numbers of spans."""
    shown = ", ".join(f"{label} {number}" for label, number in labels.items())
    return found(level, kind, len(labels), "label", message, shown)


def _similar(labels: Sequence[str]) -> list[Finding]:
    """Return the labels that differ only in case, spaces or punctuation marks."""
    spelled: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        spelled["".join(filter(str.isalnum, label.casefold()))].append(label)
    pairs = [" = ".join(map(repr, some)) for key, some in spelled.items() if len(some) > 1 and key]
    return found(
        "warning", "similar labels", len(pairs), "group", "of labels differs|differ only in spelling", ", ".join(pairs)
    )


def check_sizes(split: SplitLines, counts: Counter[str]) -> list[Finding]:
    """Return the labels that the first quarter of train lacks: size 250 would have none of them."""
    first = split.sentences[: max(1, len(split.sentences) // FIRST_SHARE)]
    there = {span.label for sentence in first for span in sentence.spans}
    missing = {label: number for label, number in counts.items() if number >= MIN_SORTED and label not in there}
    message = "has|have no span in the first quarter, which is size 250: shuffle the sentences"
    return _listing("warning", "sorted", missing, message)


def check_mentions(splits: Mapping[str, SplitLines], tokenisation: Tokenisation) -> list[Finding]:
    """Return mentions with several labels, and occurrences of known mentions that are not annotated."""
    labels: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for split in splits.values():
        for sentence in split.sentences:
            for span in sentence.spans:
                labels[sentence.tokens[span.start : span.end]][span.label] += 1
    return [*_noise(labels, tokenisation), *_missing(splits, labels, tokenisation)]


def _noise(labels: Mapping[tuple[str, ...], Counter[str]], tokenisation: Tokenisation) -> list[Finding]:
    repeated = {mention: counts for mention, counts in labels.items() if counts.total() > 1}
    others = {mention: counts.total() - max(counts.values()) for mention, counts in repeated.items() if len(counts) > 1}
    number, total = sum(others.values()), sum(counts.total() for counts in repeated.values())
    if not number:
        return []
    most = sorted(others, key=lambda mention: (-others[mention], mention))[:2]
    shown = "; ".join(f"{tokenisation.join(one)!r} {_counts(repeated[one])}" for one in most)
    level: Level = "warning" if number >= NOISE_SHARE * total else "note"
    message = f"of {total} with a repeated mention has|have another label than the mention usually has"
    return found(level, "label noise", number, "span", message, shown)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{label} {number}" for label, number in counts.most_common(3))


def _missing(
    splits: Mapping[str, SplitLines], labels: Mapping[tuple[str, ...], Counter[str]], tokenisation: Tokenisation
) -> list[Finding]:
    """Return the occurrences of mentions of at least two tokens that are annotated elsewhere, and touch no span."""
    known = {mention for mention, counts in labels.items() if counts.total() >= MIN_KNOWN and len(mention) > 1}
    lengths = sorted({len(mention) for mention in known})
    spans = 0
    places = []
    for split in splits.values():
        for index, sentence in enumerate(split.sentences):
            marked = {at for span in sentence.spans for at in range(span.start, span.end)}
            spans += sum(sentence.tokens[span.start : span.end] in known for span in sentence.spans)
            for start in range(len(sentence.tokens)):
                for length in lengths:
                    part = sentence.tokens[start : start + length]
                    if part in known and marked.isdisjoint(range(start, start + length)):
                        places.append(f"{split.where(index)}: {tokenisation.join(part)!r}")
    if len(places) < MISSING_SHARE * (len(places) + spans):
        return []
    message = f"of mentions that have {counted(spans, 'span')} elsewhere is|are not annotated"
    return found("warning", "missing spans", len(places), "occurrence", message, places[0] if places else "")
