"""The numbers of a dataset: sentences, tokens and spans of each split, and the labels with their mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from utils.dataset.checkup.lines import SplitLines
from utils.dataset.tokens import Tokenisation
from utils.wording import padded, terminal_width

EXAMPLES = 3  # mentions of a label
MAX_MENTION = 16  # characters of a mention on the screen
MAX_LABELS = 20  # on the screen; --json has all


@dataclass(frozen=True, slots=True)
class SplitNumbers:
    """The numbers of a file."""

    sentences: int
    tokens: int
    longest: int  # tokens
    without_span: int  # sentences
    spans: int
    nested: int  # sentences with a span inside another one


@dataclass(frozen=True, slots=True)
class LabelNumbers:
    """The numbers of a label: spans by split, the mean and the largest length, and its most frequent mentions."""

    spans: Mapping[str, int]
    mean_length: float  # tokens
    longest: int  # tokens
    mentions: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The numbers of a dataset."""

    splits: Mapping[str, SplitNumbers]
    labels: Mapping[str, LabelNumbers]

    @classmethod
    def of(cls, splits: Mapping[str, SplitLines], labels: Sequence[str], tokenisation: Tokenisation) -> Summary:
        """Return the numbers of the sentences that can be read; `labels` come first."""
        spans: dict[str, dict[str, list[tuple[str, ...]]]] = {label: {} for label in labels}
        for name, split in splits.items():
            for sentence in split.sentences:
                for span in sentence.spans:
                    mentions = spans.setdefault(span.label, {}).setdefault(name, [])
                    mentions.append(sentence.tokens[span.start : span.end])
        return cls(
            {name: _numbers(split) for name, split in splits.items()},
            {label: _label(by_split, tokenisation) for label, by_split in spans.items()},
        )

    def lines(self) -> list[str]:
        """Return two tables for the screen."""
        head = f"{'':<12}{'sentences':>10}{'tokens':>9}{'longest':>9}{'spans':>8}{'no span':>9}{'nested':>8}"
        rows = [
            f"{name:<12}{one.sentences:>10}{one.tokens:>9}{one.longest:>9}{one.spans:>8}{one.without_span:>9}{one.nested:>8}"
            for name, one in self.splits.items()
        ]
        names = list(self.splits)
        width = max(12, *(terminal_width(label) + 1 for label in self.labels), 0)
        labels = [f"{'label':<{width}}{''.join(f'{name:>8}' for name in names)}{'length':>12}  mentions"]
        ordered = sorted(self.labels.items(), key=lambda pair: -sum(pair[1].spans.values()))
        for label, one in ordered[:MAX_LABELS]:
            counts = "".join(f"{one.spans.get(name, 0):>8}" for name in names)
            length = f"{one.mean_length:.1f} (≤{one.longest})"
            mentions = ", ".join(map(_shortened, one.mentions))
            labels.append(f"{padded(label, width)}{counts}{length:>12}  {mentions}")
        if len(ordered) > MAX_LABELS:
            labels.append(f"… and {len(ordered) - MAX_LABELS} more labels (--json)")
        return [head, *rows, "", *labels]

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as --json shows them."""
        return asdict(self)


def _shortened(mention: str) -> str:
    return mention if len(mention) <= MAX_MENTION else f"{mention[: MAX_MENTION - 1]}…"


def _numbers(split: SplitLines) -> SplitNumbers:
    lengths = [len(sentence.tokens) for sentence in split.sentences]
    return SplitNumbers(
        len(lengths),
        sum(lengths),
        max(lengths, default=0),
        sum(not sentence.spans for sentence in split.sentences),
        sum(len(sentence.spans) for sentence in split.sentences),
        sum(sentence.has_nested_spans for sentence in split.sentences),
    )


def _label(by_split: Mapping[str, Sequence[tuple[str, ...]]], tokenisation: Tokenisation) -> LabelNumbers:
    mentions = [mention for some in by_split.values() for mention in some]
    lengths = [len(mention) for mention in mentions]
    common = Counter(mentions).most_common(EXAMPLES)
    return LabelNumbers(
        {name: len(some) for name, some in by_split.items()},
        round(sum(lengths) / len(lengths), 2) if lengths else 0.0,
        max(lengths, default=0),
        tuple(tokenisation.join(mention) for mention, _ in common),
    )
