"""The names of extension labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from utils.dataset.modes import Mode
from utils.labels.normaliser import UNKNOWN, LabelNormaliser

LabelOfOrigin = tuple[str, str]  # "entity" or "pos", and an extension label


@dataclass(frozen=True, slots=True)
class ExtensionLabel:
    """The label of an extension span."""

    name: str
    known: bool  # a file of canonical labels contains the spelling that it was made from
    renamed: bool  # because a target label has the same name


@dataclass(frozen=True)
class LabelMapping:
    """Maps the labels in an LLM's answers to extension labels."""

    targets: Sequence[str]
    normalisers: Mapping[Mode, LabelNormaliser]
    prefix: str = ""
    left_out: frozenset[LabelOfOrigin] = frozenset()  # extension labels that give no spans
    _found: dict[tuple[str, Mode], ExtensionLabel] = field(default_factory=dict, init=False, compare=False, repr=False)

    def extension_label(self, spelling: str, mode: Mode) -> ExtensionLabel:
        """Return the extension label of a label in an answer; its name is never that of a target label."""
        key = spelling, mode
        if key not in self._found:
            self._found[key] = self._extension_label(spelling, mode)
        return self._found[key]

    def _extension_label(self, spelling: str, mode: Mode) -> ExtensionLabel:
        canonical = self.normalisers[mode](spelling)
        wanted = name = self.prefix + (canonical or UNKNOWN)
        while name in self.targets:
            name = f"EXT_{name}"
        return ExtensionLabel(name, known=canonical is not None, renamed=name != wanted)
