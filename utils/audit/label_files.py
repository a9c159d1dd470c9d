"""Check that the label files of a size have the target labels of the dataset and count only the size's own spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from utils.audit.data import AuditData, Problem, SizeData
from utils.dataset.label_table import LabelTable, read_label_table
from utils.dataset.modes import EXTENSION_MODES
from utils.files.jsonl import read_rows
from utils.wording import counted


def check_label_files(data: AuditData, size_data: SizeData) -> Iterator[Problem]:
    """Yield the problems in `label_fusion.json`, `label_syn.json` and `label_syn_fusion.json`."""
    layout = data.layout
    fusion = _counted(layout.size_fusion(size_data.size), synthetic=False)
    synthetic = _counted(layout.size_fusion(size_data.size, synthetic=True), synthetic=True)
    for file, counts in (
        (layout.label_file("fusion", size_data.size), fusion),
        (layout.label_file("syn", size_data.size), synthetic),
        (layout.label_file("syn_fusion", size_data.size), fusion + synthetic),
    ):
        if file.is_file():
            table = read_label_table(file)
            yield from _check_targets(file, table, data.dataset.targets)
            yield from _check_counts(file, Counter(table.extension_counts), counts, size_data)


def _counted(file: Path, *, synthetic: bool) -> Counter[str]:
    """Return the number of spans of each extension label in the original or the synthetic rows of a file."""
    rows = (row for _, row in read_rows(file)) if file.is_file() else iter(())
    chosen = (row for row in rows if (row.get("synthetic") is True) is synthetic)
    spans = (span for row in chosen for span in row["entities"])
    return Counter(span["entity"] for span in spans if span.get("origin") in EXTENSION_MODES)


def _check_targets(file: Path, table: LabelTable, targets: Iterable[str]) -> Iterator[Problem]:
    expected = LabelTable.from_counts(targets, {}).entries
    for label, entry in expected.items():
        if table.entries.get(label) != entry:
            yield Problem(file, f"the target label {label} differs from labels.txt")
    for label, entry in table.entries.items():
        if entry.is_target and label not in expected:
            yield Problem(file, f"{label} is not a target label of labels.txt")


def _check_counts(file: Path, written: Counter[str], real: Counter[str], size_data: SizeData) -> Iterator[Problem]:
    for label in sorted({*written, *real}):
        if label not in real:
            yield Problem(file, f"the label {label} is in no sentence of size {size_data.size}")
        elif written[label] != real[label]:
            expected = f"the sentences of size {size_data.size} have {real[label]}"
            spans = counted(written[label], "span")
            yield Problem(file, f"the label {label} has a count of {spans}, but {expected}")
