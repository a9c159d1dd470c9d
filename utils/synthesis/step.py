"""The work of s2: ask an LLM for new sentences, clean raw text, and publish the sentences that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from utils.asking.step import LLMStep
from utils.files.jsonl import JsonObject
from utils.files.manifest import build_manifest, publish, read_manifest
from utils.files.run_log import logged_run
from utils.synthesis.counts import SynthesisCounts
from utils.synthesis.raw_text import RawCounts, RawText, clean_raw_texts
from utils.synthesis.rounds import Synthesis


def synthesise(
    synthesis: Synthesis, step: LLMStep, *, limit: int | None = None, raw: Sequence[RawText] = ()
) -> tuple[list[JsonObject], SynthesisCounts]:
    """Ask about the first `limit` sentences, round by round, and publish the sentences that are kept.

    The sentences of `raw` texts follow those of the LLM. Returns the rows of the dropped sentences, and the counts.
    """
    with step.start() as run:
        if first := synthesis.generator.first_questions():
            run.ask(first)
            synthesis.prepare(run.journal.entries)
        while synthesis.wants_more and (questions := synthesis.questions(limit)):
            run.ask(questions)
            while again := synthesis.repeated_questions(run.journal.entries):
                run.ask(again)
            synthesis.take_round(run.journal.entries)
        rows, dropped, counts = synthesis.result()
        if raw:
            cleaned = clean_raw_texts(raw, synthesis.cleaner, synthesis.copies)
            rows, dropped = [*rows, *cleaned.rows], [*dropped, *cleaned.dropped]
            counts = replace(counts, raw=cleaned.counts)
        run.publish(rows, counts)
        counts = replace(counts, used=run.used)
    return dropped, counts


@dataclass(frozen=True)
class RawStep:
    """The result of s2 that consists of raw text alone."""

    result: Path
    run_log: Path
    hashes: Mapping[str, str]  # portable name -> SHA-256 of an input
    parameters: Mapping[str, Any]
    overwrite: bool = False

    def _check(self) -> None:
        """Raise ValueError if the result has sentences of an LLM, unless it may be overwritten."""
        found = read_manifest(self.result) if self.result.is_file() and not self.overwrite else None
        if found is not None and "model" in found.parameters:
            raise ValueError(
                f"{self.result} has sentences of the LLM {found.parameters['model']}: add --model_from_pretrained to "
                "keep them, use another --save_type_name, or --overwrite to replace them (the LLM's answers stay in "
                "the journal)"
            )

    def run(self, texts: Sequence[RawText], synthesis: Synthesis) -> tuple[list[JsonObject], RawCounts]:
        """Publish the sentences of raw texts that are kept; return the rows of the dropped ones, and the counts."""
        self._check()
        with logged_run(self.run_log, "s2", lambda: {"result": self.result.name}):
            cleaned = clean_raw_texts(texts, synthesis.cleaner, synthesis.copies)
            manifest = build_manifest("s2", self.hashes, self.parameters, {"raw": cleaned.counts.as_row()})
            publish(self.result, cleaned.rows, manifest)
        return cleaned.dropped, cleaned.counts
