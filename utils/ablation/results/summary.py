"""The lines of an ablation's table: scores of each variant, and its difference to base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from utils.ablation.cells import CellResult
from utils.ablation.experiment import AblationResult
from utils.ablation.results.learning_curve import Worth, sentences_worth
from utils.ablation.results.llm import tokens_of
from utils.ablation.variants import BASE, Variant
from utils.dataset.layout import SIZES, Size

if TYPE_CHECKING:
    from utils.ner.scoring.seed_comparison import SeedComparison


NOISE = "within noise"


@dataclass(frozen=True)
class Score:
    """Mean and sample standard deviation of F1 over seeds, in per cent; the deviation of one seed is 0."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Score:
        return cls(100 * fmean(values), 100 * stdev(values) if len(values) > 1 else 0.0)

    def __str__(self) -> str:
        return f"{self.mean:.1f} ± {self.deviation:.1f}"


@dataclass(frozen=True)
class VariantLine:
    """A variant with one size."""

    variant: str
    size: Size
    dev: Score
    test: Score
    comparison: SeedComparison | None  # with base on test; None: this is base
    worth: Worth | None
    data: Mapping[str, int]  # numbers of sentences and spans, means over the seeds
    tokens: int  # of the LLM
    seconds: float  # of a training, mean

    @property
    def verdict(self) -> str:
        """Whether the variant is better than base, worse, or neither."""
        if self.comparison is None:
            return ""
        if self.comparison.is_noise:
            return NOISE
        return "better" if self.comparison.difference > 0 else "worse"

    @property
    def points_per_million(self) -> float | None:
        """The gain in points of F1 for a million tokens of the LLM; None without tokens."""
        if self.comparison is None or not self.tokens:
            return None
        return 100 * self.comparison.difference / (self.tokens / 1e6)


def summarise(
    result: AblationResult, variants: Sequence[Variant], tokens: Mapping[str, Counter[str]]
) -> list[VariantLine]:
    """Return the lines of all sizes and variants, base first; `tokens` are the LLM's by variant and file."""
    sizes = list(dict.fromkeys(size for _, size in result.cells))
    curve = {_sentences(result.cells[BASE, size]): _mean_test(result.cells[BASE, size]) for size in sizes}
    return [
        _line(variant.name, size, result, curve, tokens.get(variant.name, Counter()))
        for size in sizes
        for variant in variants
        if (variant.name, size) in result.cells
    ]


def _line(
    name: str, size: Size, result: AblationResult, curve: Mapping[int, float], tokens: Counter[str]
) -> VariantLine:
    cells, base = result.cells[name, size], result.cells[BASE, size]
    comparison = worth = None
    if name != BASE:
        from utils.ner.scoring.seed_comparison import compare_by_seed

        comparison = compare_by_seed([one.test_counts for one in base], [one.test_counts for one in cells])
        worth = sentences_worth(_mean_test(cells), _sentences(base), curve)
    return VariantLine(
        variant=name,
        size=size,
        dev=Score.of([one.dev["f1"] for one in cells]),
        test=Score.of([one.test["f1"] for one in cells]),
        comparison=comparison,
        worth=worth,
        data={key: round(fmean(one.data[key] for one in cells)) for key in cells[0].data},
        tokens=tokens_of(cells[0].answers, tokens, SIZES[size]),
        seconds=fmean(one.seconds for one in cells),
    )


def best_on_dev(lines: Sequence[VariantLine], size: Size) -> VariantLine:
    """Return the line of a size with the highest mean dev F1, the first if several are equal."""
    return max((line for line in lines if line.size == size), key=lambda line: line.dev.mean)


def _mean_test(cells: Sequence[CellResult]) -> float:
    return fmean(one.test["f1"] for one in cells)


def _sentences(cells: Sequence[CellResult]) -> int:
    return cells[0].data["sentences"]
