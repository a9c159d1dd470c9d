"""What s1, s2 and s3 share: ask an LLM through a journal, make the result from the journal, publish it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from utils.asking.journal import Entry, Journal, Key, journal_path
from utils.asking.questions import Question, Usage, ask
from utils.compute.engine import LOCAL, Engine
from utils.files.manifest import Manifest, fingerprint, hash_inputs, model_identity, publish, read_manifest
from utils.files.run_log import logged_run
from utils.llm import LLM, Backend, LLMOptions, can_be_guided, load_counter, load_llm
from utils.llm.pool import LLMPool


class Counts(Protocol):
    """What became of the answers of a step; its text is the step's last line."""

    def as_row(self) -> dict[str, Any]: ...


AnyCounts = TypeVar("AnyCounts", bound=Counts)
Build = Callable[[Journal], tuple[list[dict[str, Any]], AnyCounts]]
NextRound = Callable[[Journal], Sequence[Question]]  # what else to ask, seeing the answers so far; nothing: no more


@dataclass(frozen=True)
class ModelChoice:
    """An LLM that has been chosen and not yet loaded."""

    path: str
    backend: Backend
    options: LLMOptions
    engine: Engine = LOCAL

    def load(self) -> LLM:
        """Return the model, in this process or in the workers of a pool."""
        if self.engine.is_pool:
            return LLMPool(self.path, self.backend, self.options, self.engine)
        return load_llm(self.path, self.backend, self.options)

    def counter(self) -> Callable[[str], int]:
        """Return what counts the tokens of a prompt; no weights are loaded for it."""
        return load_counter(self.path, self.backend, self.options)

    def identity(self) -> dict[str, str]:
        """Return what tells this model from another, wherever it runs; of a server's, its name is all that is known."""
        return {"served model": self.path} if self.backend == "openai" else model_identity(self.path)

    def can_be_guided(self) -> bool:
        """Tell whether answers can be held to a grammar; a server is asked."""
        return can_be_guided(self.path, self.backend, self.options)


@dataclass(frozen=True)
class LLMStep:
    """One result that is made of an LLM's answers."""

    name: str  # s1, s2 or s3
    model: ModelChoice
    result: Path
    run_log: Path
    inputs: Mapping[str, Path]  # portable name -> file
    parameters: Mapping[str, Any]  # all settings that change answers, the prompt's text among them
    overwrite: bool = False
    shape: Mapping[str, Any] = field(default_factory=dict)  # settings that change the result, and no answer

    def run(
        self, questions: Sequence[Question], build: Build[AnyCounts], *, next_round: NextRound = lambda _: ()
    ) -> AnyCounts:
        """Ask what the journal lacks, and publish the lines that `build` makes of the journal; return its counts.

        `next_round` is called behind each round of questions, until it has no more. Raises ValueError where the
        journal holds answers of another model, prompt or setting.
        """
        hashes = hash_inputs(self.inputs)
        mark = self._fingerprint()
        journal = Journal(journal_path(self.result), mark, overwrite=self.overwrite)
        with journal, logged_run(self.run_log, self.name) as line:
            self._ask(questions, journal, line, next_round)
            rows, counts = build(journal)
            parameters = {**self.parameters, **self.shape}
            publish(self.result, rows, Manifest(self.name, hashes, parameters, mark, counts.as_row()))
        return counts

    def ask(self, questions: Sequence[Question]) -> Usage:
        """Ask what the journal lacks, and publish nothing; return what it took."""
        journal = Journal(journal_path(self.result), self._fingerprint())
        with journal, logged_run(self.run_log, self.name) as line:
            return self._ask(questions, journal, line, lambda _: ())

    def recorded(self) -> dict[Key, Entry]:
        """Return the answers that the journal holds, without making one; none where it is to be set aside."""
        path = journal_path(self.result)
        if self.overwrite or not path.is_file():
            return {}
        with Journal(path, self._fingerprint()) as journal:
            return dict(journal.entries)

    def _ask(
        self, questions: Sequence[Question], journal: Journal, line: dict[str, Any], next_round: NextRound
    ) -> Usage:
        line.update(model=self.model.path, backend=self.model.backend)
        load, usage = cache(self.model.load), Usage()
        try:
            while questions:
                ask(questions, journal, load, usage, title=self.result.stem)
                questions = next_round(journal)
        finally:  # what was paid for stands in the log, however the run ends
            line.update(result=self.result.name, **asdict(usage), tokens_per_second=usage.tokens_per_second)
        return usage

    def _fingerprint(self) -> str:
        """Return what tells this work from other work; raise ValueError where the result is of other work."""
        mark = fingerprint(self.model.identity(), self.parameters)
        self._check_result(mark)
        return mark

    def _check_result(self, mark: str) -> None:
        """Raise ValueError where the result is of another model, prompt or setting, whatever became of its journal."""
        found = read_manifest(self.result) if self.result.is_file() and not self.overwrite else None
        if found is not None and found.fingerprint != mark:
            raise ValueError(
                f"{self.result} was made with another model, prompt or setting; give the old ones, "
                "another --save_type_name, or --overwrite to start anew"
            )
