"""Label files: what one holds, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.helpers.builders import write_json
from utils.dataset.label_table import LabelTable, read_label_table


def test_targets_come_first_in_their_order_and_then_extension_labels_by_name():
    table = LabelTable.from_counts(("PER.NAM", "LOC.NAM"), {"NOUN": 1008, "ART": 3}).to_json()
    assert list(table) == ["O", "PER.NAM", "LOC.NAM", "ART", "NOUN"]
    assert [entry["idx"] for entry in table.values()] == [0, 1, 2, 3, 4]
    assert table["O"] == {"idx": 0, "count": -1, "is_target": True}
    assert table["LOC.NAM"] == {"idx": 2, "count": -1, "is_target": True}
    assert table["NOUN"] == {"idx": 4, "count": 1008, "is_target": False}


def test_a_written_label_file_is_read_back(tmp_path):
    table = LabelTable.from_counts(("PER",), {"NOUN": 2})
    read = read_label_table(write_json(tmp_path / "label_fusion.json", table.to_json()))
    assert read == table
    assert read.extension_counts == {"NOUN": 2}
    assert json.dumps(read.to_json()) == json.dumps(table.to_json())


@pytest.mark.parametrize("value", [{}, [], {"O": 0}, {"PER": {"idx": 1, "count": 1, "is_target": True}}, {"O": {}}])
def test_a_file_that_is_no_label_file_is_named(tmp_path, value):
    with pytest.raises(ValueError, match=r"label_fusion\.json: not a label file"):
        read_label_table(write_json(tmp_path / "label_fusion.json", value))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"idx": "1", "count": 3, "is_target": False}, "label 'NOUN' needs \"idx\", found '1'"),
        ({"idx": 1, "count": True, "is_target": False}, "label 'NOUN' needs \"count\", found True"),
        ({"idx": 1, "is_target": False}, "label 'NOUN' needs \"count\", found None"),
        ({"idx": 1, "count": 3}, "label 'NOUN' needs \"is_target\", found None"),
    ],
)
def test_an_error_names_the_label_and_the_key_that_is_wrong(entry, message):
    outside = {"idx": 0, "count": -1, "is_target": True}
    with pytest.raises(ValueError, match=message):
        LabelTable.from_json({"O": outside, "NOUN": entry})
