"""What every step took in, lost by reason, and put out, from the manifests of its results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.dataset.layout import FULL, SIZES, Layout
from utils.dataset.modes import MODES
from utils.files.manifest import Manifest, read_manifest


@dataclass(frozen=True)
class Loss:
    """What a step left out for one reason."""

    reason: str  # English, as in manifests, or the key of a text
    number: int


@dataclass(frozen=True)
class StepFlow:
    """What went through a step, in one unit."""

    step: str
    part: str  # the key of a text: which sentences or items
    unit: str  # the key of a text
    total: int
    losses: tuple[Loss, ...]
    remarks: tuple[Loss, ...] = ()  # what was kept, but is worth a look

    @property
    def kept(self) -> int:
        return self.total - sum(loss.number for loss in self.losses)


def read_flow(layout: Layout) -> list[StepFlow]:
    """Return the flow of each step that has left a manifest, in the order of the steps, for the full size."""
    return [
        *_annotation(layout, synthetic=False),
        *_synthesis(layout),
        *_annotation(layout, synthetic=True),
        *_merge(layout, synthetic=False),
        *_labelling(layout),
        *_merge(layout, synthetic=True),
    ]


def size_counts(layout: Layout) -> dict[str, tuple[int | None, int | None]]:
    """Return the numbers of original and of synthetic sentences by size; None if not known."""
    return {
        size: (
            number_in(_counts(layout.size_sentences(size)), "lines"),
            number_in(_counts(layout.size_sentences(size, synthetic=True)), "lines"),
        )
        for size in SIZES
    }


def _annotation(layout: Layout, *, synthetic: bool) -> Iterator[StepFlow]:
    step = "s3" if synthetic else "s1"
    for mode in MODES:
        counts = _counts(layout.annotation_file(mode, synthetic=synthetic))
        if not counts:
            continue
        part = f"part.{mode}"
        sentences, items = number_in(counts, "sentences") or 0, number_in(counts, "items") or 0
        yield StepFlow(step, part, "unit.sentences", sentences, _losses(counts, ("skipped", "unreadable")))
        remarks = _losses(counts, ("outvoted",))
        yield StepFlow(step, part, "unit.items", items, _losses(counts, ("lost", "unknown")), remarks)


def _synthesis(layout: Layout) -> Iterator[StepFlow]:
    counts = _counts(layout.synthetic())
    if number_in(counts, "made"):
        reasons = counts.get("dropped")
        losses = tuple(
            Loss(str(reason), number)
            for reason, number in (reasons.items() if isinstance(reasons, dict) else ())
            if type(number) is int and number > 0
        )
        ordered = tuple(sorted(losses, key=lambda loss: (-loss.number, loss.reason)))
        remarks = _losses(counts, ("without_entity", "skipped"))
        yield StepFlow("s2", "part.new", "unit.new", number_in(counts, "made") or 0, ordered, remarks)
    raw = counts.get("raw")
    if isinstance(raw, dict) and number_in(raw, "kept") is not None:
        dropped = raw.get("dropped")
        lost = [
            (str(key), one) for key, one in (dropped.items() if isinstance(dropped, dict) else ()) if type(one) is int
        ]
        total = (number_in(raw, "kept") or 0) + sum(number for _, number in lost)
        yield StepFlow("s2", "part.raw", "unit.new", total, tuple(Loss(*one) for one in lost if one[1]))


def _merge(layout: Layout, *, synthetic: bool) -> Iterator[StepFlow]:
    manifest = read_manifest(layout.size_fusion(FULL, synthetic=synthetic))
    if manifest is None:
        return
    counts, part = manifest.counts, "part.synthetic" if synthetic else "part.original"
    remarks = _losses(counts, ("unnamed", "crossing", "disagreeing", "unanswered"))
    patch = counts.get("patch")
    if isinstance(patch, dict):
        remarks += _losses(patch, ("wrong", "relabel", "move", "add", "drop", "misfits"))
    items = number_in(counts, "items") or 0
    yield StepFlow(manifest.step, part, "unit.items", items, _losses(counts, ("lost", "one_character")), remarks)


def _labelling(layout: Layout) -> Iterator[StepFlow]:
    counts = _counts(layout.size_target(FULL))
    if counts:
        total = (number_in(counts, "sentences") or 0) + (number_in(counts, "dropped") or 0)
        losses = _losses(counts, ("dropped",))
        yield StepFlow(
            "s7", "part.synthetic", "unit.sentences", total, losses, _losses(counts, ("disagreeing", "unmarked"))
        )


def _losses(counts: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Loss, ...]:
    return tuple(Loss(name, number) for name in names if (number := number_in(counts, name)))


def number_in(counts: Mapping[str, Any], name: str) -> int | None:
    """Return a number from a manifest, which may be from elsewhere; None if it is none."""
    value = counts.get(name)
    return value if type(value) is int and value >= 0 else None


def _counts(result: Path) -> Mapping[str, Any]:
    manifest: Manifest | None = read_manifest(result)
    return manifest.counts if manifest is not None else {}
