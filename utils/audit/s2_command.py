"""The flags of the command that made, or that continues, the synthetic sentences."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from utils.asking.journal import journal_path, recorded_settings
from utils.dataset.layout import Layout
from utils.files.manifest import read_manifest
from utils.wording import printable

STYLES = ("explain", "continue", "dialogue", "news", "rewrite", "names")  # others in a manifest are not repeated


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
    known = style if style in STYLES and style != "explain" else None
    return S2Command(known, raw, has_model="model" in manifest.parameters)


def _style_of_journal(layout: Layout) -> str | None:
    """Return the style of the answers if they are sentences with given mentions; other styles are not recorded."""
    for settings in recorded_settings(journal_path(layout.synthetic())).values():
        parameters = settings.get("parameters")
        if isinstance(parameters, dict) and parameters.get("task") == "rewrite":
            return "names" if "names" in parameters else "rewrite"
    return None
