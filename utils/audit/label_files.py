"""Whether the label files of a size name the dataset's targets, and count the extension spans of that size alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from utils.audit.evidence import Breach, Evidence, SizeEvidence
from utils.dataset.label_table import LabelTable, read_label_table
from utils.dataset.modes import MODES
from utils.files.jsonl import read_rows


def check_label_files(evidence: Evidence, own: SizeEvidence) -> Iterator[Breach]:
    """Yield the breaches in `label_fusion.json`, `label_syn.json` and `label_syn_fusion.json`."""
    layout = evidence.layout
    fusion = _counted(layout.size_fusion(own.size), synthetic=False)
    synthetic = _counted(layout.size_fusion(own.size, synthetic=True), synthetic=True)
    for file, counts in (
        (layout.label_file("fusion", own.size), fusion),
        (layout.label_file("syn", own.size), synthetic),
        (layout.label_file("syn_fusion", own.size), fusion + synthetic),
    ):
        if file.is_file():
            table = read_label_table(file)
            yield from _check_targets(file, table, evidence.dataset.targets)
            yield from _check_counts(file, Counter(table.extension_counts), counts, own)


def _counted(file: Path, *, synthetic: bool) -> Counter[str]:
    """Return how often each extension label stands in the original or the synthetic lines of a file."""
    rows = (row for _, row in read_rows(file)) if file.is_file() else iter(())
    chosen = (row for row in rows if (row.get("synthetic") is True) is synthetic)
    spans = (span for row in chosen for span in row["entities"])
    return Counter(span["entity"] for span in spans if span.get("origin") in MODES)


def _check_targets(file: Path, table: LabelTable, targets: Iterable[str]) -> Iterator[Breach]:
    expected = LabelTable.from_counts(targets, {}).entries
    for label, entry in expected.items():
        if table.entries.get(label) != entry:
            yield Breach(file, f"the target label {label} is not as labels.txt has it")
    for label, entry in table.entries.items():
        if entry.is_target and label not in expected:
            yield Breach(file, f"{label} is no target label of labels.txt")


def _check_counts(file: Path, said: Counter[str], counted: Counter[str], own: SizeEvidence) -> Iterator[Breach]:
    for label in sorted({*said, *counted}):
        if label not in counted:
            yield Breach(file, f"the label {label} stands in no sentence of size {own.size}")
        elif said[label] != counted[label]:
            there = f"the sentences of size {own.size} hold {counted[label]}"
            yield Breach(file, f"the label {label} counts {said[label]} spans, but {there}")
