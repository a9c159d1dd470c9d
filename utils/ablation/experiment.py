"""The run of an ablation: the choice of base's settings on dev, then all variants, sizes and seeds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

from utils.ablation.cells import Cell, CellResult, Experiment, discard_model, run_cell
from utils.ablation.jobs import Gpus, Job, Key, Workers, run_jobs
from utils.ablation.training_sets import TrainingSet, TrainingSetBuilder
from utils.ablation.variants import BASE, DataRecipe, Flags, Variant, candidates, with_teachers
from utils.dataset.layout import Size
from utils.ner.training.settings import TrainSettings
from utils.wording import counted

log = logging.getLogger(__name__)

MakeSettings = Callable[[Flags], TrainSettings]  # flags that replace those of the command line -> settings
Cells = Mapping[tuple[str, Size], Sequence[CellResult]]  # by variant and size, one for each seed


@dataclass(frozen=True)
class AblationPlan:
    """What is compared."""

    variants: Sequence[Variant]  # base first
    known: Mapping[str, Variant]  # all variants that can be teachers, by name
    sizes: Sequence[Size]
    base_sizes: Sequence[Size]  # of base: `sizes`, and others that show how many sentences a gain is worth
    seeds: Sequence[int]
    grid: Sequence[Flags]  # sets of flags that are tried for base
    make_settings: MakeSettings
    keep_models: bool = False

    @property
    def candidates(self) -> list[Variant]:
        """Base with each set of flags of the grid."""
        return candidates(self.variants[0], self.grid)

    @property
    def others(self) -> list[Variant]:
        """The variants that are trained besides base: those that are compared, and their teachers."""
        return [one for one in with_teachers(self.variants, self.known) if one.name != BASE]

    @property
    def teachers(self) -> set[str]:
        """The names of the variants whose models label sentences."""
        return {one.recipe.teacher for one in self.others if one.recipe.has_synthetic}


@dataclass(frozen=True)
class BaseChoice:
    """The candidate of base that is best on dev for one size."""

    candidate: Variant
    scores: Mapping[str, float]  # mean dev F1 of each candidate, by its name


@dataclass(frozen=True)
class AblationResult:
    """The results of the compared variants, and the choice of base's settings."""

    cells: Cells
    bases: Mapping[Size, BaseChoice]


@dataclass(frozen=True)
class Ablation:
    """Runs the cells of a plan."""

    plan: AblationPlan
    experiment: Experiment
    builder: TrainingSetBuilder
    workers: Workers

    def run(self) -> AblationResult:
        """Train base with each set of flags of the grid, and then all variants with those that are best for base."""
        plan = self.plan
        tried = self._run_cells({(one.name, size): one for size in plan.base_sizes for one in plan.candidates})
        bases = {size: _choose_base(plan.candidates, tried, size) for size in plan.base_sizes}
        if not plan.keep_models:
            self._discard_models(tried, {(choice.candidate.name, size) for size, choice in bases.items()})
        chosen = {(BASE, size): choice.candidate for size, choice in bases.items()}
        rows = {
            (one.name, size): one.with_defaults(chosen[BASE, size].train) for size in plan.sizes for one in plan.others
        }
        if BASE in plan.teachers:  # its models may have been removed by an earlier run, in which it was no teacher
            rows = {**{(BASE, size): chosen[BASE, size] for size in plan.sizes}, **rows}
        cells = {(BASE, size): tried[one.name, size] for (_, size), one in chosen.items()}
        cells |= self._run_cells(rows, teachers=plan.teachers)
        compared = [(one.name, size) for size in plan.base_sizes for one in plan.variants if (one.name, size) in cells]
        return AblationResult({key: cells[key] for key in compared}, bases)

    def _run_cells(self, rows: Mapping[tuple[str, Size], Variant], teachers: Collection[str] = ()) -> Cells:
        """Train variants, by name and size, with all seeds. The models of `teachers` are needed later."""
        plan = self.plan
        jobs: dict[Key, Job] = {}
        for (name, size), variant in rows.items():
            settings = plan.make_settings(variant.train)
            keeps_model = (
                plan.keep_models or name in teachers or (variant.recipe.data == BASE and BASE in plan.teachers)
            )
            for seed in plan.seeds:
                data, job = self._data_job(variant.recipe, size, seed)
                jobs.setdefault(data, job)
                cell = Cell(variant.name, size, replace(settings, seed=seed), keeps_model, name in teachers)
                jobs[name, size, seed] = Job(partial(run_cell, cell, self.experiment), (data,))
        results = run_jobs(jobs, self.workers, _Reporter(len(rows) * len(plan.seeds), len(plan.seeds)))
        return {(name, size): [results[name, size, seed] for seed in plan.seeds] for name, size in rows}

    def _discard_models(self, tried: Cells, kept: Collection[tuple[str, Size]]) -> None:
        for key in tried.keys() - set(kept):
            for cell in tried[key]:
                discard_model(self.experiment.root / cell.folder)

    def _data_job(self, recipe: DataRecipe, size: Size, seed: int) -> tuple[Key, Job]:
        """Return the job that makes the training set of a recipe, and its key, which equal training sets share."""
        recipe = recipe.without_unused()
        seeds = [seed] if recipe.teachers == "own" else self.plan.seeds
        needs = tuple((recipe.teacher, size, one) for one in seeds) if recipe.has_synthetic else ()
        return (recipe, size, needs), Job(partial(_build, self.builder, self.experiment, recipe, size), needs)


class _Reporter:
    """Logs each finished training with its dev scores; test scores are not shown before the end."""

    def __init__(self, number: int, seeds: int) -> None:
        self._number = number
        self._seeds = seeds
        self._cells: list[CellResult] = []

    def __call__(self, result: CellResult | TrainingSet) -> None:
        if not isinstance(result, CellResult):
            return
        self._cells.append(result)
        log.info(
            "%d of %s: %s, size %s, seed %d: dev F1 %.2f at epoch %d, threshold %.1f, %.0f s",
            len(self._cells),
            counted(self._number, "training"),
            result.variant,
            result.size,
            result.seed,
            100 * result.dev["f1"],
            result.best_epoch,
            result.threshold,
            result.seconds,
        )
        same = [one for one in self._cells if (one.variant, one.size) == (result.variant, result.size)]
        if self._seeds > 1 and len(same) == self._seeds:
            mean = 100 * mean_dev_f1(same)
            log.info("%s, size %s: mean dev F1 %.2f of %d seeds", result.variant, result.size, mean, self._seeds)


def mean_dev_f1(cells: Iterable[CellResult]) -> float:
    """Return the mean dev F1 of cells with different seeds."""
    return fmean(cell.dev["f1"] for cell in cells)


def _choose_base(tried: Sequence[Variant], cells: Cells, size: Size) -> BaseChoice:
    scores = {one.name: mean_dev_f1(cells[one.name, size]) for one in tried}
    best = max(tried, key=lambda one: scores[one.name])  # the first, if several are equal
    if len(tried) > 1:
        words = ", ".join(f"{name} {100 * score:.2f}" for name, score in scores.items())
        log.info("size %s: mean dev F1 %s; all variants are trained with the settings of %s", size, words, best.name)
    return BaseChoice(best, scores)


def _build(
    builder: TrainingSetBuilder,
    experiment: Experiment,
    recipe: DataRecipe,
    size: Size,
    *teachers: CellResult,
    gpus: Gpus,
) -> TrainingSet:
    """Make a training set; the sentences are labelled by the models of `teachers`."""
    return builder.build(recipe, size, [one.teacher(experiment.root) for one in teachers], gpus=gpus)
