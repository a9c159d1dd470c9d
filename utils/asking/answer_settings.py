"""The model and the settings of answers, recorded in the journal so that a later difference can be named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from utils.asking.entries import read_lines
from utils.asking.journal import journal_path, recorded_settings
from utils.files.differences import find_differences
from utils.files.jsonl import JsonObject
from utils.files.manifest import fingerprint, read_manifest
from utils.wording import listed

# Settings in manifests that change the result but no answer. The other ones of s2 are in every manifest of s2.
RESULT_SETTINGS = ("votes", "min_votes", "raw")


@dataclass(frozen=True)
class AnswerSettings:
    """What an answer depends on besides its sentence."""

    model: Mapping[str, str]  # file -> hash, or the name of a model that has no files here
    parameters: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of journals and manifests."""
        return fingerprint(self.model, self.parameters)

    def to_json(self) -> JsonObject:
        """Return the JSON object that the first line of a journal has beside its answer."""
        return asdict(self)

    def explain_difference(self, result: Path, old_fingerprint: str, ignored: Mapping[str, Any]) -> str:
        """Return in what these settings differ from those of a result, or of its journal, with another fingerprint.

        `ignored` are settings in the manifest of the result that change no answer. Journals of older versions do not
        record settings, and manifests do not record the files of the model.
        """
        old = _recorded_settings(result, old_fingerprint, {*ignored, *RESULT_SETTINGS})
        if old is None:
            return "which of them is different was not recorded"
        differences = find_differences(old.parameters, self.parameters)
        if not differences and old.model:
            differences = [f"the model's {one}" for one in find_differences(old.model, self.model)]
        return f"different: {listed(differences) or 'the files of the model'}"


def first_fingerprint(result: Path) -> str | None:
    """Return the fingerprint of the first answer in the journal of a result; None without answers."""
    path = journal_path(result)
    lines = read_lines(path) if path.is_file() else ()
    return next((line.entry.fingerprint for line in lines if line.entry), None)


def _recorded_settings(result: Path, old_fingerprint: str, ignored: set[str]) -> AnswerSettings | None:
    """Return the settings with a fingerprint from the journal of a result or from its manifest; None if not there."""
    found = recorded_settings(journal_path(result)).get(old_fingerprint)
    if found is not None:
        parts = [found.get(name) for name in ("model", "parameters")]
        return AnswerSettings(*(part if isinstance(part, dict) else {} for part in parts))
    manifest = read_manifest(result)
    if manifest is not None and manifest.fingerprint == old_fingerprint:
        return AnswerSettings({}, {key: one for key, one in manifest.parameters.items() if key not in ignored})
    return None
