"""The report of an ablation: the table with its legend, and the files that are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from utils.ablation.experiment import AblationPlan, AblationResult, BaseChoice
from utils.ablation.results.llm import llm_remark, spent_tokens
from utils.ablation.results.plot import write_plot
from utils.ablation.results.summary import VariantLine, best_on_dev, summarise
from utils.ablation.results.tables import Table
from utils.ablation.variants import BASE
from utils.dataset.layout import HeldOut, Layout, Size
from utils.dataset.reading import Dataset
from utils.files.jsonl import replace_file
from utils.wording import counted

LEGEND = (
    "dev F1, test F1: micro-F1 in per cent, mean ± standard deviation of the seeds; dev chooses epochs and thresholds",
    "to base: difference of the mean test F1, with its 95 % interval and p over seeds and test sentences; an interval "
    "that contains 0 is within noise",
    "worth: additional annotated sentences with which base would have this F1, read off its own curve over the sizes",
    "sentences: of the dataset + synthetic; spans: with target labels + with extension labels; seconds: of a training; "
    "LLM tokens: of prompts and answers",
)
ONE_SEED = "with one seed the interval leaves out the noise of training: use several --seeds"


@dataclass(frozen=True)
class AblationReport:
    """What an ablation has found."""

    title: str
    lines: Sequence[VariantLine]
    bases: Mapping[Size, BaseChoice]
    seeds: int
    remarks: Sequence[str] = field(default_factory=tuple)  # the LLM's own scores

    @property
    def compared_sizes(self) -> list[Size]:
        """The sizes with other variants than base."""
        return [size for size in self.bases if any(line.size == size and line.comparison for line in self.lines)]

    def table(self, *, choose: bool) -> Table:
        """Return the table; with `choose`, it shows test scores of base and of the best variants on dev alone."""
        if not choose:
            return Table.of(self.lines)
        chosen = [(best_on_dev(self.lines, size).variant, size) for size in self.compared_sizes]
        return Table(self.lines, frozenset([*chosen, *((BASE, size) for size in self.bases)]))

    def notes(self, *, choose: bool) -> list[str]:
        """Return the lines that follow the table."""
        notes = [*self.remarks]
        notes += [_base_note(size, choice) for size, choice in self.bases.items() if len(choice.scores) > 1]
        if choose:
            notes += [choice_note(best_on_dev(self.lines, size)) for size in self.compared_sizes]
        return [*notes, *LEGEND, *([ONE_SEED] if self.seeds == 1 else [])]

    def to_text(self, *, choose: bool) -> str:
        return "\n".join([self.title, "", self.table(choose=choose).to_text(), "", *self.notes(choose=choose)])

    def to_markdown(self, *, choose: bool) -> str:
        notes = (f"- {note}" for note in self.notes(choose=choose))
        return "\n".join([self.title, "", self.table(choose=choose).to_markdown(), "", *notes])

    def write(self, folder: Path, *, choose: bool) -> list[Path]:
        """Write the tables and, with matplotlib, the plot; return their paths."""
        table = self.table(choose=choose)
        contents = {
            "table.txt": self.to_text(choose=choose),
            "table.md": self.to_markdown(choose=choose),
            "table.csv": table.to_csv(),
            "table.tex": table.to_latex(),
        }
        shown = [line for line in table.lines if table.shows_test(line)]
        return [*_write(folder, contents), *write_plot(shown, folder, self.title)]


def make_report(plan: AblationPlan, result: AblationResult, layout: Layout, dataset: Dataset) -> AblationReport:
    """Return the report of a finished ablation, with the cost of the LLM and its own scores."""
    answers = {
        one.name: replace(layout, save_type_name=one.recipe.answers or layout.save_type_name) for one in plan.variants
    }
    tokens = {name: spent_tokens(folder.run_log) for name, folder in answers.items()}
    seeds = len(plan.seeds)
    title = (
        f"dataset {layout.file_name}, save_type_name {layout.save_type_name}, {counted(seeds, 'seed')} "
        f"({', '.join(map(str, plan.seeds))})"
    )
    splits: tuple[HeldOut, ...] = get_args(HeldOut)
    remarks = [remark for split in splits if (remark := llm_remark(layout, dataset, split))]
    return AblationReport(title, summarise(result, plan.variants, tokens), result.bases, seeds, remarks)


def choice_note(line: VariantLine) -> str:
    """Return the variant that is best on dev, and its test score."""
    words = f"size {line.size}: best on dev is {line.variant} (dev F1 {line.dev}): test F1 {line.test}"
    if line.comparison is None:
        return f"{words}; no variant is better than base on dev"
    found = line.comparison
    low, high = 100 * found.interval.low, 100 * found.interval.high
    return (
        f"{words}, {100 * found.difference:+.1f} to base (95 %: {low:+.1f} to {high:+.1f}, p = {found.p_value:.3f}): "
        f"{line.verdict}"
    )


def _base_note(size: Size, choice: BaseChoice) -> str:
    tried = ", ".join(f"{name} {100 * score:.1f}" for name, score in choice.scores.items())
    return f"size {size}: all variants have the settings of {choice.candidate.name}, the best base on dev ({tried})"


def _write(folder: Path, contents: dict[str, str]) -> Iterable[Path]:
    for name, text in contents.items():
        with replace_file(folder / name) as file:
            file.write(text.rstrip("\n").encode() + b"\n")
        yield folder / name
