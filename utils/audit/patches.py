"""What a patch of corrections (s5 and s8 --patch) may have changed in the sentences of a size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from utils.audit.data import NotSeen
from utils.dataset.layout import Layout
from utils.dataset.modes import EXTENSION_MODES
from utils.dataset.records import Sentence
from utils.files.manifest import read_manifest
from utils.fusion.corrections import Correction, read_patch

Corrections = Mapping[str, tuple[Correction, ...]]  # by the id of the sentence


def recorded_patch(result: Path) -> str | None:
    """Return the name of the patch that a result was made with; None if it was made without one."""
    manifest = read_manifest(result)
    name = manifest.parameters.get("patch") if manifest is not None else None
    return name if manifest is not None and isinstance(name, str) and name in manifest.inputs else None


def missing_patch(layout: Layout, result: Path) -> NotSeen | None:
    """Return that a result was made with a patch that is not there any more; None if it is there, or there is none."""
    name = recorded_patch(result)
    if name is None or layout.find(name).is_file():
        return None
    return NotSeen(f"{result} was made with {name}, which is missing: its spans are not checked")


def corrections_of(layout: Layout, result: Path, *, synthetic: bool) -> Corrections:
    """Return the corrections of the sentences in a result, by id; none if it was made without a patch."""
    name = recorded_patch(result)
    return read_patch(layout.find(name)).of_side(synthetic=synthetic) if name is not None else {}


def dropped_ids(corrections: Corrections) -> frozenset[str]:
    """Return the ids of the sentences that corrections drop."""
    return frozenset(id_ for id_, own in corrections.items() if any(one.action == "drop" for one in own))


def is_corrected(found: Sentence, source: Sentence, corrections: Iterable[Correction]) -> bool:
    """Return whether the target spans of a sentence differ from those of its source only as corrections say."""
    named = {span.key for one in corrections for span in (one.span, one.to) if span is not None}
    own = {span.key for span in found.spans if span.origin not in EXTENSION_MODES}
    return own ^ {span.key for span in source.spans} <= named
