"""How extension spans agree with gold spans, compared with spans of the same lengths at random positions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, Literal, get_args

from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import Span
from utils.fusion.extension_labels import LabelOfOrigin
from utils.fusion.merge import MergedSentence
from utils.wording import counted

Relation = Literal["same", "inside", "around", "crossing", "apart"]  # of an extension span to the gold spans
RELATIONS: tuple[Relation, ...] = get_args(Relation)
MIN_EXPECTED = 5  # crossing spans at random positions; with fewer, a label cannot be told from chance


@dataclass
class SpanAgreement:
    """The relations of extension spans to gold spans, and the numbers that are expected at random positions."""

    relations: Counter[Relation] = field(default_factory=Counter)
    same_by_chance: float = 0.0
    crossing_by_chance: float = 0.0

    @property
    def spans(self) -> int:
        return self.relations.total()

    @property
    def agreement(self) -> float | None:
        """1 if no span crosses a gold span, 0 if as many do as by chance; None if too few would cross by chance.

        This is Krippendorff's alpha: 1 minus the observed disagreement divided by the expected one.
        """
        if self.crossing_by_chance < MIN_EXPECTED:
            return None
        return 1 - self.relations["crossing"] / self.crossing_by_chance

    @property
    def is_better_than_chance(self) -> bool | None:
        """Whether clearly more spans are gold spans, or clearly fewer cross one; None if there are too few to tell."""
        if self.relations["same"] > self.same_by_chance + 2 * sqrt(self.same_by_chance) + 1:
            return True
        if self.crossing_by_chance < MIN_EXPECTED:
            return None
        return self.relations["crossing"] < self.crossing_by_chance - 2 * sqrt(self.crossing_by_chance)

    def add(self, other: SpanAgreement) -> None:
        """Add other spans."""
        self.relations.update(other.relations)
        self.same_by_chance += other.same_by_chance
        self.crossing_by_chance += other.crossing_by_chance

    def to_json(self) -> dict[str, Any]:
        """Return the numbers for a JSON file."""
        return {
            "spans": self.spans,
            **{relation: self.relations[relation] for relation in RELATIONS},
            "same_by_chance": round(self.same_by_chance, 2),
            "crossing_by_chance": round(self.crossing_by_chance, 2),
            "agreement": None if self.agreement is None else round(self.agreement, 4),
            "better_than_chance": self.is_better_than_chance,
        }


def _no_agreement() -> dict[tuple[str, str], SpanAgreement]:
    return defaultdict(SpanAgreement)  # no lambda, so that it can be sent to another process


@dataclass
class GoldAgreement:
    """The agreement of the extension spans of all sentences that were added, by origin and label."""

    by_label: dict[tuple[str, str], SpanAgreement] = field(default_factory=_no_agreement)

    def add(self, merged: MergedSentence) -> None:
        """Add all extension spans of a sentence, before settings leave some out."""
        self.add_spans(len(merged.sentence.tokens), merged.sentence.gold_spans, merged.found)

    def add_spans(self, num_tokens: int, gold: Sequence[Span], extensions: Iterable[Span]) -> None:
        """Add the extension spans of a sentence of `num_tokens` with the given gold spans."""
        if not gold:
            return
        bounds = {(span.start, span.end) for span in gold}
        chances: dict[int, tuple[float, float]] = {}
        for span in extensions:
            length = span.end - span.start
            if length not in chances:
                chances[length] = _chances(length, num_tokens, bounds)
            same, crossing = chances[length]
            entry = self.by_label[span.origin or "", span.label]
            entry.relations[_relation(span, bounds)] += 1
            entry.same_by_chance += same
            entry.crossing_by_chance += crossing

    def add_agreement(self, other: GoldAgreement) -> None:
        """Add the spans of other sentences."""
        for key, entry in other.by_label.items():
            self.by_label[key].add(entry)

    def of_origin(self, origin: str) -> SpanAgreement:
        """Return the agreement of all spans of one origin."""
        total = SpanAgreement()
        for (other, _), entry in self.by_label.items():
            if other == origin:
                total.add(entry)
        return total

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file: all spans of each origin, then each label."""
        labels: dict[str, dict[str, Any]] = {mode: {} for mode in EXTENSION_MODES}
        for (origin, label), entry in sorted(self.by_label.items()):
            labels.setdefault(origin, {})[label] = entry.to_json()
        return {origin: {"all": self.of_origin(origin).to_json(), "labels": rows} for origin, rows in labels.items()}

    def __str__(self) -> str:
        """Return what the extra entities have to do with the gold spans, and what that means."""
        total = self.of_origin("entity")
        if not total.spans:
            return "compared no extra entity with gold spans"
        share = {relation: f"{total.relations[relation] / total.spans:.0%}" for relation in RELATIONS}
        same, crossing = total.same_by_chance / total.spans, total.crossing_by_chance / total.spans
        return (
            f"compared {counted(total.spans, 'extra entity span')} with the gold spans of their sentences: "
            f"{share['same']} the same (by chance {same:.0%}), {share['inside']} inside one, {share['around']} around "
            f"one, {share['crossing']} crossing one (by chance {crossing:.0%}), {share['apart']} apart; {self._meaning}"
        )

    @property
    def _meaning(self) -> str:
        verdict = self.of_origin("entity").is_better_than_chance
        if verdict is None:
            return "too few to compare with chance"
        weak = ", ".join(sorted(label for (origin, label) in self._weak() if origin == "entity"))
        words = "better than chance" if verdict else "no better than chance"
        return words + (f"; labels that are not: {weak}" if verdict and weak else "")

    def _weak(self) -> Iterator[tuple[str, str]]:
        """Yield the labels, with their origins, that are no better than chance."""
        return (key for key, entry in self.by_label.items() if entry.is_better_than_chance is False)

    @property
    def advice(self) -> str | None:
        """What to try if the extra entities are no better than chance; None otherwise."""
        if self.of_origin("entity").is_better_than_chance is False:
            return "the bounds of the extra entities are noise: try a larger LLM, or one that supports --guided"
        return None


def labels_below(minimum: float, rows: Mapping[str, Any]) -> frozenset[LabelOfOrigin]:
    """Return the labels that agree less than `minimum`; `rows` is the content of the file.

    Labels with too few spans to measure their agreement are not among them.
    """
    found = (
        (origin, label, row["agreement"])
        for origin in EXTENSION_MODES
        for label, row in rows.get(origin, {}).get("labels", {}).items()
    )
    return frozenset(
        (origin, label) for origin, label, agreement in found if agreement is not None and agreement < minimum
    )


def _relation(span: Span, gold: Iterable[tuple[int, int]]) -> Relation:
    """Return the closest relation of a span to the gold spans; crossing one counts more than being inside another."""
    start, end = span.start, span.end
    found = {_relation_to(start, end, *one) for one in gold if one[0] < end and start < one[1]}
    if not found:
        return "apart"
    order: tuple[Relation, ...] = ("same", "crossing", "inside", "around")
    return next(relation for relation in order if relation in found)


def _relation_to(start: int, end: int, gold_start: int, gold_end: int) -> Relation:
    """Return the relation of two spans that overlap."""
    if (start, end) == (gold_start, gold_end):
        return "same"
    if gold_start <= start and end <= gold_end:
        return "inside"
    return "around" if start <= gold_start and gold_end <= end else "crossing"


def _chances(length: int, num_tokens: int, gold: Iterable[tuple[int, int]]) -> tuple[float, float]:
    """Return how likely a span of a length at a random position is a gold span, and how likely it crosses one.

    Of the 4 positions of a span of 2 in 5 tokens, one is the gold span (1, 3); the spans (0, 2) and (2, 4) cross it:

        >>> _chances(2, 5, [(1, 3)])
        (0.25, 0.5)
    """
    positions = num_tokens - length + 1
    same = {start for start, end in gold if end - start == length}
    crossing: set[int] = set()
    for start, end in gold:
        before = range(max(0, start - length + 1), min(start, end - length))  # it ends inside the gold span
        after = range(max(start + 1, end - length + 1), min(end, positions))  # it starts inside the gold span
        crossing.update(before, after)
    return len(same) / positions, len(crossing - same) / positions
