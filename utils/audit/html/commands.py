"""The commands that make the results again, with the settings that their manifests record."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from utils.audit.commands import MODEL, recorded_s2_command, script_command
from utils.audit.status import StepStatus, Survey
from utils.dataset.layout import ENTITY_LABELS, FULL, POS_LABELS, SIZES, Layout, TrainingData
from utils.dataset.modes import MODES
from utils.files.jsonl import read_json
from utils.files.manifest import read_manifest
from utils.files.run_log import read_run_log
from utils.ner.training.record import BEST, RECORD
from utils.wording import printable

SETTINGS = ("guided", "closed_labels", "votes", "min_votes", "max_new_tokens")
SETTINGS_OR_NOTHING = (  # 0 and false are the default of these flags, and may not be their value
    "num_samples",
    "rare_first",
    "target_sentences",
    "stop_below",
    "min_tokens",
    "max_tokens",
    "require_mention",
)
DIGITS = 12  # of a prompt's hash


@dataclass(frozen=True)
class Command:
    """A command, with a remark about what it does not say."""

    words: str
    remark: str = ""


def reproducing_commands(survey: Survey) -> list[Command]:
    """Return the commands of the steps that have run, in their order, each once."""
    commands = [*_llm_commands(survey.layout, survey.location), *_other_commands(survey)]
    return list({command.words: command for command in commands}.values())


def _llm_commands(layout: Layout, location: str) -> Iterator[Command]:
    runs = {str(row.get("result")): row for row in read_run_log(layout.run_log)}
    files = [("s1", f"--mode={mode}", layout.annotation_file(mode)) for mode in MODES]
    files.append(("s2", "", layout.synthetic()))
    files += [("s3", f"--mode={mode}", layout.annotation_file(mode, synthetic=True)) for mode in MODES]
    for step, mode, file in files:
        manifest = read_manifest(file)
        if manifest is None:
            continue
        flags = [mode, *setting_flags(manifest.parameters)]
        if step == "s2":
            flags.append(recorded_s2_command(layout).flags)
        if "model" in manifest.parameters:
            flags.insert(0, _model_flags(runs.get(file.name, {})))
        yield Command(script_command(step, location, *flags), _prompt_remark(manifest.parameters))


def _model_flags(run: Mapping[str, Any]) -> str:
    """Return the flags of the LLM: its path in the run log or, without that, a placeholder."""
    model, backend = run.get("model"), run.get("backend")
    if not (isinstance(model, str) and model and model == printable(model)):
        return f"--model_from_pretrained={MODEL}"
    words = f"--model_from_pretrained={shlex.quote(model)}"
    known = isinstance(backend, str) and re.fullmatch("[a-z_]+", backend)
    return f"{words} --backend={backend}" if known else words


def setting_flags(parameters: Mapping[str, Any]) -> list[str]:
    """Return the flags of the settings that a manifest of s1, s2 or s3 records."""
    decoding = parameters.get("decoding")
    found: dict[str, Any] = dict(decoding) if isinstance(decoding, dict) else {}
    for name in ("shots", "similar_shots"):
        if isinstance(parameters.get(name), dict):
            found[name] = parameters[name].get("number")
    found |= {name: parameters.get(name) for name in SETTINGS}
    found |= {name: value for name in SETTINGS_OR_NOTHING if (value := parameters.get(name))}
    return [_flag(name, value) for name, value in found.items() if isinstance(value, (int, float))]


def _flag(name: str, value: float) -> str:
    if value is True and name in SETTINGS_OR_NOTHING:
        return f"--{name}"  # it has no value
    return f"--{name}={int(value) if isinstance(value, bool) else value}"


def _prompt_remark(parameters: Mapping[str, Any]) -> str:
    digest = parameters.get("prompt")
    return f"prompt with the SHA-256 {digest[:DIGITS]}…" if isinstance(digest, str) else ""


def _other_commands(survey: Survey) -> Iterator[Command]:
    for status in survey.statuses():
        step = status.step.split()[0]
        if status.state == "missing" or step in ("s1", "s2", "s3"):
            continue
        words = status.command.replace(" --overwrite", "")
        if step in ("s5", "s8"):
            words = " ".join([words, *_merge_flags(survey.layout, status)])
        yield Command(words, _encoder_remark(survey, status) if step in ("train", "s7") else "")


def _merge_flags(layout: Layout, status: StepStatus) -> list[str]:
    """Return the flags of s5 and s8 that differ from the defaults, as far as a manifest records them."""
    result = layout.size_fusion(status.size or FULL, synthetic="--is_syn=1" in status.step)
    manifest = read_manifest(result)
    if manifest is None:
        return []
    parameters, flags = manifest.parameters, []
    if prefix := parameters.get("label_prefix"):
        flags.append(f"--label_prefix={shlex.quote(printable(str(prefix)))}")
    if parameters.get("drop_crossing"):
        flags.append("--drop_crossing=1")
    if isinstance(parameters.get("min_agreement"), (int, float)):
        flags.append(f"--min_agreement={parameters['min_agreement']}")
    for flag, file in (("entity_label", ENTITY_LABELS), ("pos_label", POS_LABELS)):
        if layout.portable_name(file) not in manifest.inputs:
            flags.append(f"--{flag}=PATH_OF_THE_LABEL_FILE")
    return flags


def _encoder_remark(survey: Survey, status: StepStatus) -> str:
    """Return the encoder that a training records."""
    data = status.step.removeprefix("train ") if status.step.startswith("train") else "fusion"
    size = status.size or FULL
    kind = next(kind for kind in get_args(TrainingData) if kind == data)
    record = _record(survey.layout.model_folder(size, kind, parent=survey.models))
    name = record.get("encoder_name")
    if not isinstance(name, str):
        return ""
    settings = record.get("settings")
    shown = ", ".join(f"{key}={value}" for key, value in settings.items()) if isinstance(settings, dict) else ""
    return f"encoder {name}" + (f"; {shown}" if shown and status.step.startswith("train") else "")


def _record(folder: Path) -> Mapping[str, Any]:
    file = folder / BEST / RECORD
    value = read_json(file) if file.is_file() else {}
    return value if isinstance(value, dict) else {}


def merge_command(survey: Survey, patch: str) -> str:
    """Return the command that applies a patch: s8 if it has run, else s5."""
    layout = survey.layout
    manifests = [read_manifest(layout.size_fusion(size)) for size in SIZES]
    step = "s8" if any(one is not None and one.step == "s8" for one in manifests) else "s5"
    flags = _merge_flags(layout, StepStatus(step, FULL, "done", "", ""))
    return script_command(step, survey.location, *flags, f"--patch={shlex.quote(patch)}")
