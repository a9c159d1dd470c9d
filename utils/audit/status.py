"""The status of each step for a dataset: done, partial, stale or missing, and the next command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from utils.asking.journal import journal_path
from utils.audit.commands import ENCODER, LLMRuns, recorded_s2_command, script_command
from utils.audit.patches import recorded_patch
from utils.audit.results import other_labellers
from utils.dataset.layout import SIZES, Layout, Size, TrainingData
from utils.dataset.modes import EXTENSION_MODES, MODES
from utils.dataset.reading import DatasetInfo
from utils.files.compressed import bounded_lines
from utils.files.manifest import Change, ChangeFinder, Manifest, hash_file, read_manifest
from utils.ner.kept_models import KeptModel, find_kept_model
from utils.ner.training.record import BEST, LAST, RECORD
from utils.wording import agreeing, counted

StepState = Literal["done", "partial", "stale", "missing"]


@dataclass(frozen=True, slots=True)
class StepStatus:
    """The status of a step, for one size or for all sentences."""

    step: str
    size: Size | None
    state: StepState
    note: str
    command: str  # that completes the step

    def __str__(self) -> str:
        return f"{self.step:<18}{self.size or 'all':<6}{self.state:<9}{self.note}".rstrip()


@dataclass(frozen=True)
class Survey:
    """Finds the status of each step from the files of a dataset and from the models that were trained on them."""

    layout: Layout
    dataset: DatasetInfo
    models: Path
    location: str  # the flags of a command that name the dataset

    def statuses(self) -> list[StepStatus]:
        """Return the status of every step, in the order of the steps."""
        return [
            *self._annotations(),
            *self._splits(),
            *self._merges(),
            *self._trainings("fusion"),
            *self._labelled(),
            *self._trainings("base"),
            *self._trainings("syn_fusion"),
        ]

    @cached_property
    def _changes(self) -> ChangeFinder:
        return ChangeFinder(self.layout.find)

    # --- s1, s2, s3

    def _annotations(self) -> Iterator[StepStatus]:
        layout = self.layout
        for mode in EXTENSION_MODES:
            yield self._llm_status("s1", layout.annotation_file(mode), f"--mode={mode}")
        yield from self._optional_status("s1", layout.annotation_file("target"))
        yield self._s2_status()
        for mode in EXTENSION_MODES:
            yield self._llm_status("s3", layout.annotation_file(mode, synthetic=True), f"--mode={mode}")
        yield from self._optional_status("s3", layout.annotation_file("target", synthetic=True))

    def _optional_status(self, step: str, result: Path) -> Iterator[StepStatus]:
        """Yield the status of the target labels of an LLM if they were asked for; no step requires them."""
        if result.is_file() or journal_path(result).is_file():
            yield self._llm_status(step, result, "--mode=target")

    def _s2_status(self) -> StepStatus:
        status = self._llm_status("s2", self.layout.synthetic(), "")
        if self._llm_runs.flags_for(self.layout.synthetic()):
            return status
        command = recorded_s2_command(self.layout)
        words = status.command if command.has_model else script_command("s2", self.location)
        return replace(status, command=f"{words} {command.flags}".strip())

    def _llm_status(self, step: str, result: Path, flag: str) -> StepStatus:
        state, note = self._state([result])
        journal = journal_path(result)
        if state == "missing" and journal.is_file() and journal.stat().st_size:
            state, note = "partial", _answers_in(journal)
        skipped = (read_manifest(result) or _NO_MANIFEST).counts.get("skipped", 0)
        if state == "done" and skipped:
            sentences = counted(skipped, "sentence")
            were = agreeing(skipped, "was", "were")
            state, note = "partial", f"{sentences} {were} skipped: run without --skip and --limit"
        words = self._llm_runs.flags_for(result) or self._llm_runs.model_flags
        words = words if flag in words else f"{words} {flag}"
        return StepStatus(f"{step} {flag}".strip(), None, state, note, script_command(step, self.location, words))

    @cached_property
    def _llm_runs(self) -> LLMRuns:
        return LLMRuns.of(self.layout.run_log)

    # --- s4, s5, s6

    def _splits(self) -> Iterator[StepStatus]:
        layout = self.layout
        for size in SIZES:
            files = {layout.train: layout.size_sentences(size)}
            files |= {layout.synthetic(): layout.size_sentences(size, synthetic=True)}
            for mode in MODES:
                for is_synthetic in (False, True):
                    files[layout.annotation_file(mode, synthetic=is_synthetic)] = layout.size_annotation_file(
                        size, mode, synthetic=is_synthetic
                    )
            state, note = self._state([file for source, file in files.items() if source.is_file()])
            yield StepStatus("s4", size, state, note, script_command("s4", self.location))

    def _merges(self) -> Iterator[StepStatus]:
        layout = self.layout
        for side in (0, 1):
            for size in SIZES:
                results = [layout.size_fusion(size, synthetic=bool(side))]
                results.append(layout.label_file("syn" if side else "fusion", size))
                files = [layout.size_annotation_file(size, mode, synthetic=bool(side)) for mode in EXTENSION_MODES]
                yield self._merge_status(f"s5 --is_syn={side}", size, results, files)
        for size in SIZES:
            files = [layout.label_file("fusion", size), layout.label_file("syn", size)]
            yield self._merge_status("s6", size, [layout.label_file("syn_fusion", size)], files)

    def _merge_status(self, name: str, size: Size, results: list[Path], sources: Iterable[Path]) -> StepStatus:
        step, _, flag = name.partition(" ")
        state, note = self._state(results, sources)
        by_s8 = any((read_manifest(result) or _NO_MANIFEST).step == "s8" for result in results)
        if by_s8 and flag.endswith("1"):  # s8 reports whether it is stale
            state, note = "done", "replaced by s8"
        overwrite = "--overwrite" if by_s8 else ""
        command = script_command(step, self.location, flag, overwrite, self._patch(results[0]))
        return StepStatus(name, size, state, note, command)

    def _patch(self, result: Path) -> str:
        """Return the flag that keeps the corrections that a result has; "" if it has none."""
        name = recorded_patch(result)
        return f"--patch={shlex.quote(str(self.layout.find(name)))}" if name else ""

    # --- the span model, s7, s8

    def _trainings(self, data: TrainingData) -> Iterator[StepStatus]:
        for size in SIZES:
            state, note = self._model_state(size, data)
            words = f"--size={size} --data={data} --from_pretrained={ENCODER}"
            yield StepStatus(f"train {data}", size, state, note, script_command("train", self.location, words))

    def _model_state(self, size: Size, data: TrainingData) -> tuple[StepState, str]:
        model = self._model_of(size, data)
        change = self._changes.find(self.layout.training_files(size, data)[0])
        if model.state == "unknown" and not (model.folder / BEST / RECORD).is_file():
            return (
                ("partial", "interrupted: the same command continues it")
                if (model.folder / LAST).is_dir()
                else ("missing", "")
            )
        if model.state == "missing":
            return "missing", model.note
        if model.state == "changed":
            return "stale", model.note
        if change:
            return "stale", _note(change, before="this training")
        if model.state in ("unknown", "no data") or model.is_finished:
            return "done", model.note
        return "partial", "interrupted: the same command continues it"

    def _model_of(self, size: Size, data: TrainingData) -> KeptModel:
        return find_kept_model(self.layout, size, data, models=self.models, tokenisation=self.dataset.tokenisation)

    def _labelled(self) -> Iterator[StepStatus]:
        layout = self.layout
        pattern = self._model_of("250", "fusion").folder / BEST
        model = shlex.quote(str(pattern).replace("_250_fusion", "_{size}_fusion"))
        words = f"--from_pretrained={ENCODER} --model_from_pretrained={model}"
        for size in SIZES:
            state, note = self._state([layout.size_target(size)])
            if state == "done" and self._is_retrained(size):
                state, note = "stale", "the model that labelled the sentences was trained again"
            note = note or self._other_labeller(size)
            yield StepStatus("s7", size, state, note, script_command("s7", self.location, words))
        for size in SIZES:
            result = layout.size_fusion(size, synthetic=True)
            state, note = self._state([result, layout.label_file("syn_fusion", size)])
            if state != "missing" and (read_manifest(result) or _NO_MANIFEST).step != "s8":
                state, note = "missing", "the synthetic sentences do not have their target labels yet"
            yield StepStatus("s8", size, state, note, script_command("s8", self.location, self._patch(result)))

    def _other_labeller(self, size: Size) -> str:
        """Return a note if the model that labelled a size is not the one of its fusion training, and that exists."""
        own = self._model_of(size, "fusion").folder / BEST
        others = other_labellers(self.layout, size, own) if (own / RECORD).is_file() else []
        return f"labelled by {others[0]}, not by {self.layout.portable_name(own)}" if others else ""

    def _is_retrained(self, size: Size) -> bool:
        """Return whether the model of a size differs from the one that labelled it, also outside the repository."""
        manifest = read_manifest(self.layout.size_target(size)) or _NO_MANIFEST
        weights = self._model_of(size, "fusion").folder / BEST / "model.safetensors"
        digest = manifest.inputs.get(self.layout.portable_name(weights))
        return digest is not None and weights.is_file() and hash_file(weights) != digest

    # --- shared by all steps

    def _state(self, results: Iterable[Path], sources: Iterable[Path] = ()) -> tuple[StepState, str]:
        """Return the state of the results of a step; `sources` are the optional files that it reads."""
        missing = [result for result in results if not result.is_file()]
        found = [result for result in results if result.is_file()]
        if not found:
            return "missing", ""
        if missing:
            return "partial", f"{missing[0].name} is missing"
        manifests = [manifest for result in found if (manifest := read_manifest(result)) is not None]
        if not manifests:
            return "done", "no manifest: it cannot be checked whether the result is up to date"
        names = self.layout.portable_names([source for source in sources if source.is_file()])
        if change := next(filter(None, map(self._changes.find, found)), None):
            return "stale", _note(change)
        for manifest in manifests:
            if unknown := sorted(names.keys() - manifest.inputs.keys()):
                return "stale", f"made before {unknown[0]} existed"
        return "done", ""


_NO_MANIFEST = Manifest("", {}, {}, "", {})


def next_step(statuses: Iterable[StepStatus]) -> StepStatus | None:
    """Return the first step that is not done; None where all are."""
    return next((status for status in statuses if status.state != "done"), None)


def _note(change: Change, *, before: str = "") -> str:
    earlier = change.earlier_steps if not before else " and ".join(change.steps)
    return f"{change.name} has changed since" + (f"; run {earlier} again first" if earlier else "")


def _answers_in(journal: Path) -> str:
    """Return how many answers a journal has, in words."""
    with journal.open("rb") as lines:
        number = sum(line.endswith(b"\n") for _, _, line in bounded_lines(lines))
    return f"{counted(number, 'answer')} {agreeing(number, 'is', 'are')} in its journal"
