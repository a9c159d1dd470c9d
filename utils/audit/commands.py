"""Commands of the scripts, with the flags that made, or that continue, the results of s1, s2 and s3."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from utils.asking.journal import journal_path, recorded_settings
from utils.asking.model import is_backend
from utils.dataset.layout import Layout
from utils.dataset.modes import MODES, Style
from utils.files.jsonl import JsonObject
from utils.files.manifest import read_manifest
from utils.files.run_log import read_run_log
from utils.wording import printable

SCRIPTS = {
    "s1": "s1_predict_data",
    "s2": "s2_continous_generation",
    "s3": "s3_predict_syn_data",
    "s4": "s4_split_data",
    "s5": "s5_merge_data",
    "s6": "s6_combine_syn_fusion_label",
    "s7": "s7_pred_syn_data",
    "s8": "s8_process_label_and_combine",
    "train": "train_ner",
}
MODEL, ENCODER = "PATH_OF_THE_LLM", "PATH_OF_THE_ENCODER"  # in commands, for unknown paths
# Flags that choose an LLM and where it runs: they are the same for every step.
MODEL_FLAGS = (
    *("model_from_pretrained", "backend", "api_base", "patience", "dtype", "load_in", "trust_remote_code", "n_gpu"),
    *("engine", "num_workers", "requests_per_minute", "tokens_per_minute"),
)


def recorded_llm(layout: Layout) -> str:
    """Return the name of the LLM that annotated the sentences, as far as a manifest records it; else ""."""
    manifests = filter(None, (read_manifest(layout.annotation_file(mode)) for mode in MODES))
    return next((str(one.parameters["model"]) for one in manifests if "model" in one.parameters), "")


def script_command(step: str, location: str, *words: str) -> str:
    """Return the command of a step; `location` are the flags that name the dataset. Empty words are left out."""
    return " ".join(["python", f"syn_pipelines/{SCRIPTS[step]}.py", location, *filter(None, words)])


@dataclass(frozen=True)
class LLMRuns:
    """The runs of s1, s2 and s3 in a run log, with the flags that repeat them."""

    rows: Sequence[JsonObject]

    @classmethod
    def of(cls, run_log: Path) -> LLMRuns:
        """Return the runs in a run log that name a model."""
        return cls([row for row in read_run_log(run_log) if _names_a_model(row)])

    def flags_for(self, result: Path) -> str:
        """Return the flags of the last run that made a result, quoted for the shell; "" if they are not recorded."""
        flags = [_recorded_flags(row) for row in self.rows if row.get("result") == result.name]
        return shlex.join(flags[-1]) if flags else ""

    @property
    def model_flags(self) -> str:
        """The flags for the LLM of the last run, quoted for the shell."""
        if not self.rows:
            return f"--model_from_pretrained={MODEL}"
        run = self.rows[-1]
        flags = [flag for flag in _recorded_flags(run) if flag.partition("=")[0].removeprefix("--") in MODEL_FLAGS]
        return shlex.join(flags or [f"--model_from_pretrained={run['model']}", f"--backend={run['backend']}"])


def _recorded_flags(run: JsonObject) -> list[str]:
    """Return the flags of a run; none if they cannot be part of a command: the run log may be from others."""
    flags = run.get("flags")
    if isinstance(flags, list) and all(isinstance(flag, str) and flag == printable(flag) for flag in flags):
        return flags
    return []


def _names_a_model(run: JsonObject) -> bool:
    """Return whether a run names a model that a command can name, too."""
    model, backend = run.get("model"), run.get("backend")
    return isinstance(model, str) and bool(model) and model == printable(model) and is_backend(backend)


@dataclass(frozen=True)
class S2Command:
    """What a repetition of s2 must be given, as far as it is recorded."""

    style: str | None = None  # None: the default, or not recorded
    raw: str | None = None  # path of the raw text, or its name in manifests if it is not found
    has_model: bool = True

    @property
    def flags(self) -> str:
        """The flags, as words of a command."""
        words = [f"--style={self.style}"] if self.style else []
        words += [f"--raw={shlex.quote(self.raw)}"] if self.raw else []
        return " ".join(words)


def recorded_s2_command(layout: Layout) -> S2Command:
    """Return what the manifest of s2 records or, if the step was interrupted, what its journal shows."""
    manifest = read_manifest(layout.synthetic())
    if manifest is None:
        return S2Command(_style_of_journal(layout))
    style, raw = manifest.parameters.get("style"), manifest.parameters.get("raw")
    if not isinstance(raw, str) or raw != printable(raw) or raw not in manifest.inputs:
        raw = None  # no name of a file: the manifest may be from others
    else:
        file = layout.find(raw)
        raw = str(file) if file.is_file() else raw
    known = style if style in get_args(Style) and style != "explain" else None
    return S2Command(known, raw, has_model="model" in manifest.parameters)


def _style_of_journal(layout: Layout) -> str | None:
    """Return the style of the answers if they are sentences with given mentions; other styles are not recorded."""
    for settings in recorded_settings(journal_path(layout.synthetic())).values():
        parameters = settings.get("parameters")
        if isinstance(parameters, dict) and parameters.get("task") == "rewrite":
            return "names" if "names" in parameters else "rewrite"
    return None
