"""Check that lines, labels, counts and models of a size come only from that size, and never from dev or test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.audit.data import AuditData, AuditFinding, NotSeen, Problem, SizeData, read_audit_data
from utils.audit.label_files import check_label_files
from utils.audit.lines import (
    check_annotations,
    check_fusion,
    check_sentences,
    check_synthetic,
    check_synthetic_fusion,
    check_targets,
)
from utils.audit.manifests import check_manifests
from utils.audit.models import check_models, find_unseen_models, has_models
from utils.audit.origins import check_copies, check_held_out, check_raw
from utils.dataset.layout import SIZES, Layout
from utils.dataset.tokens import Tokenisation


@dataclass(frozen=True)
class AuditReport:
    """What an audit found."""

    problems: Sequence[Problem]
    not_seen: Sequence[NotSeen]
    saw_models: bool

    @property
    def conclusion(self) -> str:
        """What is true if there is no problem: only what was seen."""
        sizes = f"audited the sizes {', '.join(SIZES)}: every line, label"
        return f"{sizes}, count and model" if self.saw_models else f"{sizes} and count"


def audit(layout: Layout, models: Path, *, tokenisation: Tokenisation | None = None) -> AuditReport:
    """Return what is wrong with the results of a dataset and with the models in `models` that were trained on them.

    Raises FileNotFoundError if s4 has not run, and ValueError if a file cannot be read.
    """
    data = read_audit_data(layout, models, tokenisation=tokenisation)
    findings: list[AuditFinding] = [*check_held_out(data), *check_raw(data), *check_copies(data)]
    findings += check_manifests(data, None)
    for size in SIZES:
        findings += _check_size(data, data.of_size(size))
    findings += [*find_unseen_models(data), *_find_unseen_files(data)]
    return AuditReport(
        [one for one in findings if isinstance(one, Problem)],
        list(dict.fromkeys(one for one in findings if isinstance(one, NotSeen))),
        has_models(data),
    )


def _find_unseen_files(data: AuditData) -> Iterator[NotSeen]:
    for file in (data.layout.dev, data.layout.test):
        if not file.is_file():
            yield NotSeen(f"{file} is missing: nothing is compared with its sentences")


def _check_size(data: AuditData, size_data: SizeData) -> Iterator[AuditFinding]:
    yield from check_sentences(data, size_data)
    yield from check_synthetic(data, size_data)
    yield from check_annotations(data, size_data)
    yield from check_targets(data, size_data)
    yield from check_fusion(data, size_data)
    yield from check_synthetic_fusion(data, size_data)
    yield from check_label_files(data, size_data)
    yield from check_manifests(data, size_data.size)
    yield from check_models(data, size_data)
