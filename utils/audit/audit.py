"""Prove that all of a size comes from that size: lines, labels, counts and models; and nothing of dev or test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from utils.audit.evidence import Breach, Evidence, SizeEvidence, gather
from utils.audit.label_files import check_label_files
from utils.audit.lines import check_answers, check_fusion, check_sentences, check_synthetic, check_targets
from utils.audit.origins import check_copies, check_hidden, check_manifests, check_models
from utils.dataset.layout import SIZES, Layout
from utils.dataset.tokens import Tokenisation

__all__ = ["Breach", "audit"]


def audit(layout: Layout, models: Path, *, tokenisation: Tokenisation | None = None) -> list[Breach]:
    """Return every breach in the results of a dataset, and in the models below `models` that were trained on them.

    Raises FileNotFoundError where s4 has not run, ValueError where a file cannot be read.
    """
    evidence = gather(layout, models, tokenisation=tokenisation)
    breaches = [*check_hidden(evidence), *check_copies(evidence)]
    for size in SIZES:
        breaches += _check_size(evidence, evidence.of_size(size))
    return breaches


def _check_size(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    yield from check_sentences(evidence, own)
    yield from check_synthetic(evidence, own)
    yield from check_answers(evidence, own)
    yield from check_targets(evidence, own)
    yield from check_fusion(evidence, own)
    yield from check_label_files(evidence, own)
    yield from check_manifests(evidence, own)
    yield from check_models(evidence, own)
