"""The common part of s1, s2 and s3: record an LLM's answers in a journal, and make the result from the journal."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from utils.asking.answer_settings import AnswerSettings
from utils.asking.batch.asking import BatchAsker
from utils.asking.batch.choice import AnswersPendingError
from utils.asking.entries import AnswerKey, Entry
from utils.asking.journal import Journal, journal_path
from utils.asking.model import ModelChoice
from utils.asking.questions import Question, Usage, ask
from utils.asking.thoughts import explain_all_thought
from utils.files.jsonl import encode_json, replace_file
from utils.files.manifest import Manifest, hash_inputs, read_manifest, write_manifest
from utils.files.run_log import logged_run, read_run_log
from utils.llm.server.limits.budget import Budget

log = logging.getLogger(__name__)


class StepCounts(Protocol):
    """The numbers of a step's last line, and of its manifest."""

    def as_row(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class LLMStep:
    """One result that is made from an LLM's answers."""

    name: str  # s1, s2 or s3
    model: ModelChoice
    result: Path
    run_log: Path
    inputs: Mapping[str, Path]  # portable name -> file
    parameters: Mapping[str, Any]  # settings that change answers, including the prompt's text
    overwrite: bool = False
    result_parameters: Mapping[str, Any] = field(default_factory=dict)  # settings that change the result, not answers
    flags: Sequence[str] = ()  # of the command, to repeat it; for the run log

    @contextmanager
    def start(self) -> Iterator[StepRun]:
        """Start a run: open the journal; when the block ends, the run is added to the run log.

        Raises ValueError if the journal or the result is of another model, prompt or setting. No model is loaded
        before the first question that the journal does not answer.
        """
        hashes = hash_inputs(self.inputs)
        run = StepRun(self, self._journal(overwrite=self.overwrite), hashes)
        with run.journal, logged_run(self.run_log, self.name, run.log_entries):
            yield run
        run.report_thoughts()

    def recorded_answers(self) -> Mapping[AnswerKey, Entry]:
        """Return the answers in the journal, without creating one; none with `overwrite`, which sets them aside."""
        if self.overwrite or not journal_path(self.result).is_file():
            return {}
        with self._journal() as journal:
            return journal.entries

    def earlier_usage(self) -> Usage:
        """Return the usage of earlier runs with this model on this machine, from the run log."""
        usage = Usage()
        here = (self.name, self.result.name, self.model.path, self.model.backend, platform.node())
        for run in read_run_log(self.run_log):
            if tuple(run.get(key) for key in ("step", "result", "model", "backend", "host")) == here:
                usage += Usage.from_row(run)
        return usage

    @property
    def answer_parameters(self) -> dict[str, Any]:
        """Return all settings that change answers, including those of the model."""
        return {**self.model.parameters, **self.parameters}

    def _journal(self, *, overwrite: bool = False) -> Journal:
        """Return the journal of the result; raise ValueError if the result was made with other settings."""
        settings = AnswerSettings(self.model.identity(), self.answer_parameters)

        def explain(old_fingerprint: str) -> str:
            return settings.explain_difference(self.result, old_fingerprint, self.result_parameters)

        found = read_manifest(self.result) if self.result.is_file() and not self.overwrite else None
        is_of_llm = found is not None and "model" in found.parameters  # raw text alone (s2) has cost nothing
        if found is not None and is_of_llm and found.fingerprint != settings.fingerprint:
            raise ValueError(
                f"{self.result} was made with another model, prompt or setting; use the same model, prompt and "
                "settings, another --save_type_name, or --overwrite to start from the beginning; "
                f"{explain(found.fingerprint)}"
            )
        path = journal_path(self.result)
        return Journal(path, settings.fingerprint, overwrite=overwrite, settings=settings.to_json(), explain=explain)


class StepRun:
    """One run of a step: its open journal, and the usage so far."""

    def __init__(self, step: LLMStep, journal: Journal, input_hashes: Mapping[str, str]) -> None:
        self.journal = journal
        self.usage = Usage()
        self._step = step
        self._is_waiting = False
        self._input_hashes = input_hashes
        self._load = cache(step.model.load)  # once a run, for however many rounds of questions
        self._budget = Budget(step.model.options.prices, step.model.options.max_cost)  # of batch files

    def ask(self, questions: Sequence[Question], *, answered: int = 0) -> None:
        """Ask the questions that the journal does not answer yet; besides them, it answers `answered` others.

        Raises AnswersPendingError if they are asked in batch files, and the results are not there yet.
        """
        try:
            for usage in self._answers(questions, answered):
                self.usage += usage
        except AnswersPendingError:
            self._is_waiting = True
            raise

    def _answers(self, questions: Sequence[Question], answered: int) -> Iterator[Usage]:
        """Record answers, and yield what each has used."""
        model, title = self._step.model, self._step.result.stem
        if model.batch is None:
            return ask(questions, self.journal, self._load, title=title, answered=answered)
        return BatchAsker(model.batch, model.path, model.options, title, self._budget).ask(questions, self.journal)

    @property
    def used(self) -> str:
        """The tokens and the cost of this run's answers, for its last line; "" if they come from no server."""
        model = self._step.model
        return f"; used {self.usage.describe(model.options.prices)}" if self.usage.answers and model.is_served else ""

    def report_thoughts(self) -> None:
        """Warn if answers of this run are thoughts alone."""
        if used := self.usage.all_thought:
            log.warning("%s", explain_all_thought(used, self.usage.answers, self.usage.thought_tokens))

    def publish(self, rows: Iterable[Mapping[str, Any]], counts: StepCounts) -> None:
        """Write the step's result and its manifest."""
        with self.result_file() as file:
            file.writelines(encode_json(row) + b"\n" for row in rows)
        self.write_manifest(counts)

    def result_file(self) -> AbstractContextManager[BinaryIO]:
        """Return the file of the step's result, which replaces the old one when it is closed without an error."""
        return replace_file(self._step.result)

    def write_manifest(self, counts: StepCounts) -> None:
        """Write the manifest of the step's result, which is complete."""
        step = self._step
        parameters = {**step.answer_parameters, **step.result_parameters}
        manifest = Manifest(step.name, self._input_hashes, parameters, self.journal.fingerprint, counts.as_row())
        write_manifest(step.result, manifest)

    def log_entries(self) -> dict[str, Any]:
        """Return the model, the result and the usage so far, for the run log."""
        prices = self._step.model.options.prices
        return {
            "model": self._step.model.path,
            "backend": self._step.model.backend,
            "result": self._step.result.name,
            "flags": list(self._step.flags),
            **asdict(self.usage),
            "tokens_per_second": self.usage.tokens_per_second,
            **({"cost": round(self.usage.cost(prices), 6)} if prices else {}),
            **({"status": "waiting"} if self._is_waiting else {}),
        }
