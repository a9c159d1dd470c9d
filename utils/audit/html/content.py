"""What the report contains, gathered from the files of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from utils.audit.commands import recorded_llm
from utils.audit.html.charts.figures import (
    Figure,
    ablation_figure,
    agreement_figures,
    flow_figure,
    label_figures,
    score_figures,
)
from utils.audit.html.commands import Command, merge_command, reproducing_commands
from utils.audit.html.doubts import Doubt, find_doubts
from utils.audit.html.flow import number_in, read_flow, size_counts
from utils.audit.html.runs import RecordedRun, read_runs
from utils.audit.html.scores import evaluated_models, read_ablation
from utils.audit.html.sentences import ShownSentences, read_shown_sentences
from utils.audit.html.statistics import Statistics, count_sentences
from utils.audit.status import Survey
from utils.dataset.layout import FULL, Layout
from utils.dataset.reading import Dataset, read_dataset
from utils.dataset.tokens import Tokenisation
from utils.files.jsonl import read_json
from utils.files.manifest import fingerprint, hash_file, read_manifest

PATCH_NAME = "fixes.jsonl"  # of the file that the page exports


@dataclass(frozen=True)
class UnknownSpelling:
    """A label in the LLM's answers that no file of canonical labels contains."""

    spelling: str
    count: int
    examples: Sequence[str]


@dataclass(frozen=True)
class Coverage:
    """How many of the LLM's items have a known label."""

    part: str  # the key of a text
    items: int
    unnamed: int
    unknown: Sequence[UnknownSpelling]

    @property
    def share(self) -> float:
        return 1 - self.unnamed / self.items if self.items else 1.0


@dataclass(frozen=True)
class Content:
    """A dataset and its results, as the page shows them."""

    survey: Survey
    dataset: Dataset

    @property
    def layout(self) -> Layout:
        return self.survey.layout

    @cached_property
    def shown(self) -> ShownSentences:
        return read_shown_sentences(self.layout, self.dataset)

    @cached_property
    def doubts(self) -> list[list[Doubt]]:
        join = "" if self.dataset.tokenisation.is_dense else " "
        return find_doubts(self.shown.rows, self.layout, self.dataset.targets, join)

    @cached_property
    def counts(self) -> Mapping[str, Statistics]:
        """The counts of the original sentences and, if there are some, of the synthetic ones."""
        parts = {"original": self.shown.of_kind("original"), "synthetic": self.shown.of_kind("synthetic", "raw")}
        return {name: count_sentences(rows, self.dataset.targets) for name, rows in parts.items() if rows}

    @cached_property
    def flow(self) -> list[Figure]:
        flows = read_flow(self.layout)
        return [flow_figure(flows)] if flows else []

    @cached_property
    def sizes(self) -> Mapping[str, tuple[int | None, int | None]]:
        """The numbers of original and synthetic sentences by size, as s4 split them; none before s4."""
        return {size: numbers for size, numbers in size_counts(self.layout).items() if numbers != (None, None)}

    @cached_property
    def distributions(self) -> list[Figure]:
        return [figure for name, counts in self.counts.items() for figure in label_figures(name, counts)]

    @cached_property
    def agreement(self) -> list[Figure]:
        file = self.layout.gold_agreement(FULL)
        rows = read_json(file) if file.is_file() else {}
        try:
            return list(agreement_figures(rows))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ValueError(f"{file} is not a file that s5 wrote: run s5 --is_syn=0 again") from None

    @cached_property
    def scores(self) -> list[Figure]:
        found = evaluated_models(self.layout, self.survey.models, self.dataset.tokenisation)
        lines = read_ablation(self.layout)
        return [*score_figures(found), *([ablation_figure(lines)] if lines else [])]

    @cached_property
    def coverage(self) -> list[Coverage]:
        found = []
        for part, kind, synthetic in (("part.original", "fusion", False), ("part.synthetic", "syn", True)):
            manifest = read_manifest(self.layout.size_fusion(FULL, synthetic=synthetic))
            file = self.layout.unknown_labels("syn" if kind == "syn" else "fusion", FULL)
            if manifest is not None and file.is_file():
                items, unnamed = (number_in(manifest.counts, name) or 0 for name in ("items", "unnamed"))
                found.append(Coverage(part, items, unnamed, _unknown(file)))
        return found

    @cached_property
    def runs(self) -> list[RecordedRun]:
        return read_runs(self.layout, self.survey.models)

    @cached_property
    def commands(self) -> list[Command]:
        return reproducing_commands(self.survey)

    @property
    def patch_command(self) -> str:
        return merge_command(self.survey, PATCH_NAME)

    @property
    def old_patch(self) -> str:
        """The patch that the sentences already have; "" if there is none."""
        manifest = read_manifest(self.layout.size_fusion(FULL))
        return str(manifest.parameters.get("patch", "")) if manifest is not None else ""

    @cached_property
    def digest(self) -> str:
        """A hash of the sentences: corrections in a browser belong to it."""
        return fingerprint(*map(hash_file, self.shown.files))

    @property
    def figures(self) -> list[Figure]:
        return [*self.flow, *self.distributions, *self.agreement, *self.scores]

    @property
    def llm(self) -> str:
        """The name of the LLM, as far as a manifest records it."""
        return recorded_llm(self.layout)


def read_content(layout: Layout, models: Path, location: str, *, tokenisation: Tokenisation | None = None) -> Content:
    """Return the content of the report of a dataset; `location` are the flags of a command that name the dataset."""
    dataset = read_dataset(layout.train, layout.labels, tokenisation=tokenisation)
    return Content(Survey(layout, dataset.info, models, location), dataset)


def _unknown(file: Path) -> list[UnknownSpelling]:
    rows: Any = read_json(file)
    try:
        return [
            UnknownSpelling(spelling, int(row["count"]), [str(example) for example in row["examples"]])
            for spelling, row in rows.items()
        ]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise ValueError(f"{file} is not a file that s5 wrote: run s5 again") from None
