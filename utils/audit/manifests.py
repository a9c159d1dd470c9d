"""Check that results come from the files of their own size, and that nobody changed them afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from utils.audit.data import AuditData, AuditFinding, NotSeen, Problem
from utils.dataset.layout import FULL, SIZES, LabelKind, Layout, Size
from utils.dataset.modes import MODES
from utils.files.manifest import SUFFIX, Manifest, hash_file, read_manifest


def check_manifests(data: AuditData, size: Size | None) -> Iterator[AuditFinding]:
    """Yield what is wrong with the manifests of a size, or with those above the sizes for None."""
    layout = data.layout
    folder = layout.results if size is None else layout.size_folder(size)
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if not path.with_name(path.name.removesuffix(SUFFIX)).is_file():
            yield Problem(path, "the result that it describes is missing")
    for result, sources in expected_sources(layout, size).items():
        if not result.is_file():
            continue
        manifest = read_manifest(result)
        if manifest is None:
            yield NotSeen(f"{result} has no manifest: what it was made from is not known")
        else:
            yield from _check_manifest(data, result, manifest, sources, size)


def expected_sources(layout: Layout, size: Size | None) -> dict[Path, list[Path]]:
    """Return the results of a size, or those above the sizes, each with the files that one of its inputs must be."""
    if size is None:
        results = {layout.annotation_file(mode): [layout.train] for mode in MODES}
        results |= {layout.annotation_file(mode, synthetic=True): [layout.synthetic()] for mode in MODES}
        results[layout.synthetic()] = [layout.train]
        return results | {layout.label_file(kind): _label_sources(layout, kind, FULL) for kind in get_args(LabelKind)}
    sentences, synthetic = layout.size_sentences(size), layout.size_sentences(size, synthetic=True)
    results = {sentences: [layout.train], synthetic: [layout.synthetic()]}
    for mode in MODES:
        results[layout.size_annotation_file(size, mode)] = [layout.annotation_file(mode)]
        own = layout.size_annotation_file(size, mode, synthetic=True)
        results[own] = [layout.annotation_file(mode, synthetic=True)]
    results |= {layout.size_target(size): [synthetic], layout.size_review(size): [synthetic]}
    results |= {layout.size_fusion(size): [sentences]}
    results |= {layout.size_fusion(size, synthetic=True): [synthetic, layout.size_target(size)]}
    return results | {layout.label_file(kind, size): _label_sources(layout, kind, size) for kind in get_args(LabelKind)}


def _label_sources(layout: Layout, kind: LabelKind, size: Size) -> list[Path]:
    if kind == "fusion":
        return [layout.size_sentences(size)]
    if kind == "syn":
        return [layout.size_sentences(size, synthetic=True), layout.size_target(size)]
    return [layout.label_file("fusion", size)]


def _check_manifest(
    data: AuditData, result: Path, manifest: Manifest, sources: list[Path], size: Size | None
) -> Iterator[AuditFinding]:
    layout = data.layout
    if manifest.output is None:
        yield NotSeen(f"{result} may have been changed by hand: its manifest, of an earlier version, has no hash of it")
    elif hash_of(result) != manifest.output:
        yield Problem(result, f"was changed after {manifest.step} wrote it; run {manifest.step} again")
    names = [layout.portable_name(source) for source in sources]
    if not any(name in manifest.inputs for name in names):
        yield Problem(result, f"its manifest does not say that it was made from {' or '.join(names)}")
    others = [f"{layout.save_type_name}/{other}/" for other in SIZES if size not in (None, other)]
    for name in manifest.inputs:
        if name.startswith(tuple(others)):
            yield Problem(result, f"was made from {name}, which belongs to another size")
        elif manifest.step != "s7" and not layout.find(name).is_file():  # the model of s7 has a check of its own
            yield NotSeen(f"{name}, from which {result} was made, is missing")
    for name, digest in manifest.inputs.items():
        if (file := layout.find(name)).is_file() and hash_of(file) != digest:
            yield Problem(result, f"is stale: {name} has changed since it was made; run {manifest.step} again")


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file; a file that does not change is read once."""
    found = path.stat()
    return _hash(path, found.st_mtime_ns, found.st_size)


@cache
def _hash(path: Path, modified: int, size: int) -> str:
    return hash_file(path)
