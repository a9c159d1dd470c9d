"""Check that lines, labels, counts and models of a size come only from that size, and never from dev or test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from utils.audit.data import AuditData, Problem, SizeData, read_audit_data
from utils.audit.label_files import check_label_files
from utils.audit.lines import (
    check_annotations,
    check_fusion,
    check_sentences,
    check_synthetic,
    check_synthetic_fusion,
    check_targets,
)
from utils.audit.origins import check_copies, check_held_out, check_manifests, check_models, check_raw
from utils.dataset.layout import SIZES, Layout
from utils.dataset.tokens import Tokenisation


def find_problems(layout: Layout, models: Path, *, tokenisation: Tokenisation | None = None) -> list[Problem]:
    """Return the problems in the results of a dataset, and in the models in `models` that were trained on them.

    Raises FileNotFoundError if s4 has not run, and ValueError if a file cannot be read.
    """
    data = read_audit_data(layout, models, tokenisation=tokenisation)
    problems = [*check_held_out(data), *check_raw(data), *check_copies(data)]
    for size in SIZES:
        problems += _check_size(data, data.of_size(size))
    return problems


def _check_size(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    yield from check_sentences(data, size_data)
    yield from check_synthetic(data, size_data)
    yield from check_annotations(data, size_data)
    yield from check_targets(data, size_data)
    yield from check_fusion(data, size_data)
    yield from check_synthetic_fusion(data, size_data)
    yield from check_label_files(data, size_data)
    yield from check_manifests(data, size_data)
    yield from check_models(data, size_data)
